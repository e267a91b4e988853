// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peer-to-peer DMA where the process that has mapped the BAR is not the one that makes
 * the calls on its device, dies meanwhile, or has things of its own to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/busy.h"
#include "lib/cgroup.h"
#include "p2p.h"

/* Maps the BAR and waits to be killed; tells through @pipe that it has */
static void hold_bar(FIXTURE_DATA(p2p) *self, int pipe)
{
	size_t size;
	unsigned char *bar = vfio_map_bar(self->peer, PEER_BAR, &size);
	char done = bar && !ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
					bar, size, AT);

	if (write(pipe, &done, 1) == 1)
		pause();
	_exit(1);
}

/* Another process, which does what is to be done before it tells, and is killed */
struct holder {
	pid_t pid;
	int pipe;
};

/* 0 when it has done so */
static int start_holder(FIXTURE_DATA(p2p) *self, struct holder *holder,
			void (*hold)(FIXTURE_DATA(p2p) *self, int pipe))
{
	int pipes[2];
	char done = 0;

	if (pipe(pipes))
		return -errno;
	holder->pipe = pipes[0];
	holder->pid = fork();
	if (!holder->pid)
		hold(self, pipes[1]);
	close(pipes[1]);
	if (holder->pid < 0)
		return -errno;
	return read(pipes[0], &done, 1) == 1 && done ? 0 : -EIO;
}

static int kill_holder(const struct holder *holder)
{
	close(holder->pipe);
	if (kill(holder->pid, SIGKILL))
		return -errno;
	return waitpid(holder->pid, NULL, 0) == holder->pid ? 0 : -errno;
}

/* Whether edu gets at the BAR again within ten seconds. */
static bool comes_back(FIXTURE_DATA(p2p) *self, unsigned int seed)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (load(self, seed) ||
		    edu_write_memory(&self->rig.edu, AT, CHUNK))
			return false;
		if (filled(self->bar, seed))
			return true;
		usleep(10000);
	}
	return false;
}

/* One process has mapped the BAR, and another one moves it, over and over. */
TEST_F(p2p, other_process)
{
	struct holder holder;
	unsigned int i;

	ASSERT_EQ(0, start_holder(self, &holder, hold_bar));
	for (i = 0; i < 5; i++) {
		EXPECT_WORKS(AT, self->bar, 180 + i);
		ASSERT_EQ(0, set_memory(self->peer, false));
		EXPECT_BLOCKED(AT);
		ASSERT_EQ(0, set_memory(self->peer, true));
		fill(self->bar, 190);
		EXPECT_TRUE(comes_back(self, 191 + i));
	}
	ASSERT_EQ(0, kill_holder(&holder));
	EXPECT_BLOCKED(AT);
}

/*
 * The process whose mapping it is dies while another one moves the BAR: its
 * teardown, of which the PCI driver takes no notice, meets the decode going off.
 */
TEST_F(p2p, owner_dies)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		struct holder holder;
		int status;

		ASSERT_EQ(0, start_holder(self, &holder, hold_bar));
		if (!i)
			EXPECT_WORKS(AT, self->bar, 150);
		ASSERT_EQ(0, kill(holder.pid, SIGKILL));
		do {
			ASSERT_EQ(0, set_memory(self->peer, false));
			ASSERT_EQ(0, set_memory(self->peer, true));
		} while (!waitpid(holder.pid, &status, WNOHANG));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_BLOCKED(AT);
		EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size,
					NULL));
		close(holder.pipe);
	}
	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 160);
}

/*
 * The process whose mapping it is dies in the middle of a call on the device, which
 * lasts for as long as somebody else likes: its memory is free long before.
 */
TEST_F(p2p, owner_dies_in_a_call)
{
	struct holder holder;
	struct busy busy;
	unsigned int tries;
	void *memory;
	int held;

	held = memfd_create("held", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_GE(held, 0);
	ASSERT_EQ(0, ftruncate(held, PAGE));
	/* The holder has it from here */
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, held, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, start_holder(self, &holder, hold_bar));
	ASSERT_EQ(0, munmap(memory, PAGE));
	EXPECT_WORKS(AT, self->bar, 210);

	ASSERT_EQ(0, busy_start_ioctl(&busy, self->peer, VFIO_DEVICE_GET_INFO));
	ASSERT_EQ(-1, fcntl(held, F_ADD_SEALS, F_SEAL_WRITE));
	ASSERT_EQ(EBUSY, errno);
	ASSERT_EQ(0, kill_holder(&holder));
	for (tries = 0; tries < 100; tries++) {
		if (!fcntl(held, F_ADD_SEALS, F_SEAL_WRITE))
			break;
		usleep(100000);
	}
	EXPECT_LT(tries, 100);
	EXPECT_BLOCKED(AT);
	EXPECT_EQ(0, busy_end(&busy));

	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_BLOCKED(AT);
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 220);
	close(held);
}

#define GROUP	"p2p"
#define TABLES	64
#define TABLE	0x200000UL

/* Maps the BAR so often that there are TABLES page tables, and waits to be killed */
static void hold_tables(FIXTURE_DATA(p2p) *self, int pipe)
{
	char *room = mmap(NULL, (TABLES + 1) * TABLE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vfio_region_info info;
	unsigned int i;
	char done;

	done = room != MAP_FAILED && !cgroup_join(GROUP) &&
	       !vfio_region(self->peer, PEER_BAR, &info);
	room = (char *)(((uintptr_t)room + TABLE - 1) & -TABLE);
	for (i = 0; i < TABLES && done; i++)
		done = mmap(room + i * TABLE, self->size,
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    self->peer, info.offset) != MAP_FAILED &&
		       !ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				    room + i * TABLE, self->size,
				    AT + i * TABLE);
	if (write(pipe, &done, 1) == 1)
		pause();
	_exit(1);
}

/* Whoever brings the BAR back, the process that has mapped it pays. */
TEST_F(p2p, other_process_pays)
{
	long before, after = 0;
	struct holder holder;
	unsigned int tries;

	if (cgroup_missing())
		SKIP(return, "%s", cgroup_missing());
	ASSERT_EQ(0, cgroup_create(GROUP, 0));
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, start_holder(self, &holder, hold_tables));
	/* The numbers are true after some seconds only */
	sleep(3);
	before = cgroup_read(GROUP, "memory.stat", "pagetables");
	ASSERT_GE(before, 0);
	ASSERT_EQ(0, set_memory(self->peer, true));
	for (tries = 0; tries < 100; tries++) {
		after = cgroup_read(GROUP, "memory.stat", "pagetables");
		if (after - before >= TABLES * PAGE)
			break;
		usleep(100000);
	}
	EXPECT_GE(after - before, TABLES * PAGE);
	EXPECT_LT(after - before, 2 * TABLES * PAGE);
	ASSERT_EQ(0, kill_holder(&holder));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* Later each time, so that a slow machine gets on between them, too */
static void next_alarm(int signal)
{
	static struct itimerval delay = { .it_value.tv_usec = 100 };

	delay.it_value.tv_usec = delay.it_value.tv_usec * 3 / 2;
	if (delay.it_value.tv_usec < 1000000)
		setitimer(ITIMER_REAL, &delay, NULL);
}

/* Maps the BAR in a process of many mappings, which gets signals all the time */
static int map_signalled(FIXTURE_DATA(p2p) *self)
{
	const struct itimerval never = { };
	struct sigaction action = {
		.sa_handler = next_alarm,
		.sa_flags = SA_RESTART,
	};
	char *many = mmap(NULL, 8000 * PAGE, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	int rc;

	if (many == MAP_FAILED || sigaction(SIGALRM, &action, NULL))
		return -errno;
	for (i = 0; i < 8000; i += 2)
		if (mprotect(many + i * PAGE, PAGE, PROT_NONE))
			return -errno;
	next_alarm(SIGALRM);
	rc = map_bar(self);
	setitimer(ITIMER_REAL, &never, NULL);
	return rc;
}

/* A signal that only interrupts makes no first mapping of a BAR fail. */
TEST_F(p2p, signals)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		unsigned char *bar;
		pid_t child = fork();
		size_t size;
		int status;

		ASSERT_LE(0, child);
		if (!child) {
			bar = vfio_map_bar(self->peer, PEER_BAR, &size);
			self->bar = bar;
			_exit(bar ? -map_signalled(self) : 255);
		}
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		ASSERT_EQ(0, WEXITSTATUS(status));
		EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size,
					NULL));
	}
}

TEST_HARNESS_MAIN
