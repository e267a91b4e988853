// SPDX-License-Identifier: GPL-2.0-only
/*
 * The check of Secure Boot: does the kernel take modules that DKMS has built?
 *
 * It takes those that are signed with a key of the firmware's variable MokListRT. What
 * mokutil is given waits in MokNew for the next start, when somebody at the console
 * has to say yes.
 */
#define _GNU_SOURCE
#include <stdio.h>
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

/**
 * struct bytes - what a file has
 * @data: freed by bytes_free()
 * @nr: how many
 */
struct bytes {
	char *data;
	size_t nr;
};

/* None when there is no such file, or it may not be read */
static struct bytes bytes_of(const char *name)
{
	struct bytes bytes = { NULL, 0 };
	char *path = sysfs_path("%s", name);
	FILE *file = fopen(path, "re");
	char part[4096];
	size_t nr;

	free(path);
	while (file && (nr = fread(part, 1, sizeof(part), file))) {
		bytes.data = grow(bytes.data, bytes.nr + nr, 1);
		memcpy(bytes.data + bytes.nr, part, nr);
		bytes.nr += nr;
	}
	if (file)
		fclose(file);
	return bytes;
}

static void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
}

static bool secure_boot_is_on(void)
{
	struct bytes value = bytes_of(SECURE_BOOT);
	/* Four bytes of attributes, and the value */
	bool on = value.nr == 5 && value.data[4] == 1;

	bytes_free(&value);
	return on;
}

static bool has_key(const char *name, const struct bytes *key)
{
	struct bytes list = bytes_of(name);
	bool found = key->nr && list.nr &&
		     memmem(list.data, list.nr, key->data, key->nr);

	bytes_free(&list);
	return found;
}

void check_secure_boot(struct doctor *doctor)
{
	struct bytes key = bytes_of(MOK);

	if (!secure_boot_is_on())
		tell(doctor, "Secure Boot", VERDICT_OK, NULL, "off");
	else if (sysfs_exists("/sys/module/iommufd"))
		tell(doctor, "Secure Boot", VERDICT_OK, NULL,
		     "on, and the modules are loaded");
	else if (!key.nr)
		tell(doctor, "Secure Boot", VERDICT_FAILURE,
		     text("apt install openssl && apt install --reinstall iommufd-dkms"),
		     "on, and DKMS has made no key to sign the modules with");
	else if (has_key(MOK_LIST, &key) ||
		 has_key(EFIVARS "MokListRT-" SHIM, &key))
		tell(doctor, "Secure Boot", VERDICT_OK, NULL,
		     "on, and the key that DKMS signs the modules with is enrolled");
	else if (has_key(EFIVARS "MokNew-" SHIM, &key))
		tell(doctor, "Secure Boot", VERDICT_FAILURE, text("reboot"),
		     "on, and the key that DKMS signs the modules with is to be enrolled, which the firmware asks for at the next start");
	else
		tell(doctor, "Secure Boot", VERDICT_FAILURE,
		     text("apt install mokutil && mokutil --import " MOK " && reboot"),
		     "on, so the modules load only once the key that DKMS signs them with is enrolled, which the firmware asks for at the next start");
	bytes_free(&key);
}
