// SPDX-License-Identifier: GPL-2.0-only
/*
 * The check of Secure Boot: does the kernel take modules that DKMS has built?
 *
 * It takes those that are signed with a key of the firmware's variable MokListRT. What
 * mokutil is given waits in MokNew for the next start, when somebody at the console
 * has to say yes.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "sysfs.h"

#define EFIVARS		"/sys/firmware/efi/efivars/"
#define SECURE_BOOT	EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define SHIM		"605dab50-e046-4300-abb6-3dd810dd8b23"
/* The whole list; a variable may have only its beginning */
#define MOK_LIST	"/sys/firmware/efi/mok-variables/MokListRT"
#define MOK		"/var/lib/dkms/mok.pub"

static bool secure_boot_is_on(void)
{
	size_t nr;
	char *value = sysfs_bytes(&nr, SECURE_BOOT);
	/* Four bytes of attributes, and the value */
	bool on = nr == 5 && value[4] == 1;

	free(value);
	return on;
}

static bool has_key(const char *name, const char *key, size_t nr_key)
{
	size_t nr;
	char *list = sysfs_bytes(&nr, "%s", name);
	bool found = nr && memmem(list, nr, key, nr_key);

	free(list);
	return found;
}

void check_secure_boot(struct doctor *doctor)
{
	size_t nr;
	char *key = sysfs_bytes(&nr, MOK);

	if (!secure_boot_is_on())
		tell(doctor, "Secure Boot", VERDICT_OK, NULL, "off");
	else if (sysfs_exists("/sys/module/iommufd"))
		tell(doctor, "Secure Boot", VERDICT_OK, NULL,
		     "on, and the modules are loaded");
	else if (!nr)
		tell(doctor, "Secure Boot", VERDICT_FAILURE,
		     text("apt install openssl && apt install --reinstall iommufd-dkms"),
		     "on, and DKMS has made no key to sign the modules with");
	else if (has_key(MOK_LIST, key, nr) ||
		 has_key(EFIVARS "MokListRT-" SHIM, key, nr))
		tell(doctor, "Secure Boot", VERDICT_OK, NULL,
		     "on, and the key that DKMS signs the modules with is enrolled");
	else if (has_key(EFIVARS "MokNew-" SHIM, key, nr))
		tell(doctor, "Secure Boot", VERDICT_FAILURE, text("reboot"),
		     "on, and the key that DKMS signs the modules with is to be enrolled, which the firmware asks for at the next start");
	else
		tell(doctor, "Secure Boot", VERDICT_FAILURE,
		     text("apt install mokutil && mokutil --import " MOK " && reboot"),
		     "on, so the modules load only once the key that DKMS signs them with is enrolled, which the firmware asks for at the next start");
	free(key);
}
