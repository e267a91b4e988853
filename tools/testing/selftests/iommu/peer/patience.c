// SPDX-License-Identifier: GPL-2.0-only
/*
 * The harness gives each test 30 seconds, by alarm(). An emulated machine with a
 * kernel that checks itself is slower than that; the linker puts this in between.
 */
unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(seconds * 20);
}
