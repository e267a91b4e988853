// SPDX-License-Identifier: GPL-2.0-only
/*
 * May the user open /dev/iommu and the device's file?
 *
 * The modes are looked at, rather than the files opened, because it is asked for
 * another user as well.
 */
#define _GNU_SOURCE
#include <err.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "sysfs.h"

/**
 * struct user - whose rights are in question
 * @name: of the user
 * @uid: number
 * @groups: all that the user is in
 * @nr: how many
 */
struct user {
	char *name;
	uid_t uid;
	gid_t *groups;
	int nr;
};

/* Without a name if there is no account, as in some containers */
static struct user find_user(const char *name)
{
	struct passwd *entry = name ? getpwnam(name) : getpwuid(geteuid());
	struct user user = { 0 };
	int room = 0;

	if (!entry)
		return user;
	user.name = text("%s", entry->pw_name);
	user.uid = entry->pw_uid;
	do {
		room += 64;
		user.nr = room;
		free(user.groups);
		user.groups = calloc(room, sizeof(*user.groups));
		if (!user.groups)
			err(2, "memory");
	} while (getgrouplist(entry->pw_name, entry->pw_gid, user.groups,
			      &user.nr) < 0);
	return user;
}

static bool in_group(const struct user *user, gid_t gid)
{
	int i;

	for (i = 0; i < user->nr; i++)
		if (user->groups[i] == gid)
			return true;
	return false;
}

static bool may_open(const struct user *user, const struct stat *st)
{
	mode_t want = 0006;

	if (!user->uid)
		return true;
	if (st->st_uid == user->uid)
		want = 0600;
	else if (in_group(user, st->st_gid))
		want = 0060;
	return (st->st_mode & want) == want;
}

static void check_node(struct doctor *doctor, const struct user *user,
		       const char *node)
{
	char *path = sysfs_path("%s", node);
	struct group *group;
	struct stat st;

	if (stat(path, &st)) {
		tell(doctor, "access", VERDICT_SKIPPED, NULL,
		     "there is no %s yet", node);
	} else if (may_open(user, &st)) {
		tell(doctor, "access", VERDICT_OK, NULL, "%s can open %s",
		     user->name, node);
	} else {
		group = getgrgid(st.st_gid);
		if (st.st_gid && group && (st.st_mode & 0060) == 0060)
			tell(doctor, "access", VERDICT_FAILURE,
			     text("usermod -aG %s %s, and log in again",
				  group->gr_name, user->name),
			     "%s is not in group %s, which may open %s",
			     user->name, group->gr_name, node);
		else
			tell(doctor, "access", VERDICT_FAILURE,
			     text("chgrp kvm %s && chmod 660 %s", node, node),
			     "%s is for root alone; the udev rule of iommufd-tools gives it to group kvm",
			     node);
	}
	free(path);
}

void check_nodes(struct doctor *doctor)
{
	struct user user = find_user(doctor->options->user);

	if (!user.name) {
		tell(doctor, "access", VERDICT_SKIPPED, NULL,
		     "user %u has no account", geteuid());
		return;
	}
	check_node(doctor, &user, "/dev/iommu");
	if (doctor->device && doctor->device->node) {
		char *node = text("/dev/vfio/devices/%s", doctor->device->node);

		check_node(doctor, &user, node);
		free(node);
	}
	free(user.name);
	free(user.groups);
}
