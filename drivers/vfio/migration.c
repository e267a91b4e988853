// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration: the states of a device, and the ways between them.
 *
 * The states form a tree. A device changes state along its edges only:
 *
 *	STOP ─┬─ STOP_COPY
 *	      ├─ RESUMING
 *	      └─ RUNNING_P2P ── RUNNING
 *
 * A device without RUNNING_P2P has RUNNING right below STOP.
 */
#include <linux/file.h>
#include <linux/uaccess.h>

#include "vfio.h"

/* What a device must be able to do to have a state; 0: nobody can be in it */
static u64 state_needs(enum vfio_device_mig_state state)
{
	switch (state) {
	case VFIO_DEVICE_STATE_STOP:
	case VFIO_DEVICE_STATE_RUNNING:
	case VFIO_DEVICE_STATE_STOP_COPY:
	case VFIO_DEVICE_STATE_RESUMING:
		return VFIO_MIGRATION_STOP_COPY;
	case VFIO_DEVICE_STATE_RUNNING_P2P:
		return VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P;
	default:
		return 0;
	}
}

static bool has_state(struct vfio_device *vdev,
		      enum vfio_device_mig_state state)
{
	u64 needs = state_needs(state);

	return needs && (vdev->migration_flags & needs) == needs;
}

static enum vfio_device_mig_state
state_parent(struct vfio_device *vdev, enum vfio_device_mig_state state)
{
	if (state == VFIO_DEVICE_STATE_RUNNING &&
	    has_state(vdev, VFIO_DEVICE_STATE_RUNNING_P2P))
		return VFIO_DEVICE_STATE_RUNNING_P2P;
	return VFIO_DEVICE_STATE_STOP;
}

/**
 * vfio_mig_get_next_state - The next state on the way to another
 * @vdev: the device
 * @cur_fsm: the state that the device is in
 * @new_fsm: the state to arrive at
 * @next_fsm: set to the state to change to now; @new_fsm in the last step
 *
 * Return: 0, or -EINVAL when there is no way.
 */
int vfio_mig_get_next_state(struct vfio_device *vdev,
			    enum vfio_device_mig_state cur_fsm,
			    enum vfio_device_mig_state new_fsm,
			    enum vfio_device_mig_state *next_fsm)
{
	enum vfio_device_mig_state state, parent;

	/* Nothing leads out of the error state but a reset */
	if (cur_fsm == VFIO_DEVICE_STATE_ERROR ||
	    WARN_ON(!has_state(vdev, cur_fsm)))
		return -EINVAL;
	if (!has_state(vdev, new_fsm))
		return -EINVAL;

	if (new_fsm == cur_fsm) {
		*next_fsm = cur_fsm;
		return 0;
	}

	/* Down, if the way up from the goal comes by here ... */
	for (state = new_fsm; state != VFIO_DEVICE_STATE_STOP; state = parent) {
		parent = state_parent(vdev, state);
		if (parent == cur_fsm) {
			*next_fsm = state;
			return 0;
		}
	}
	/* ... else up */
	*next_fsm = state_parent(vdev, cur_fsm);
	return 0;
}

int vfio_feature_migration(struct vfio_device *vdev, u32 ops,
			   void __user *data)
{
	struct vfio_device_feature_migration mig = {
		.flags = vdev->migration_flags,
	};

	if (copy_to_user(data, &mig, sizeof(mig)))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

static const char *state_name(enum vfio_device_mig_state state)
{
	static const char * const names[] = {
		[VFIO_DEVICE_STATE_ERROR] = "ERROR",
		[VFIO_DEVICE_STATE_STOP] = "STOP",
		[VFIO_DEVICE_STATE_RUNNING] = "RUNNING",
		[VFIO_DEVICE_STATE_STOP_COPY] = "STOP_COPY",
		[VFIO_DEVICE_STATE_RESUMING] = "RESUMING",
		[VFIO_DEVICE_STATE_RUNNING_P2P] = "RUNNING_P2P",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* Why can a device not be brought to the state @wanted, which may be any number? */
static int __cold refuse_state(struct vfio_device *vdev,
			       enum vfio_device_mig_state wanted, int error)
{
	enum vfio_device_mig_state state;

	if (!has_state(vdev, wanted))
		return refuse(error, "the device has no state %u to be brought to",
			      wanted);
	if (vdev->mig_ops->migration_get_state(vdev, &state))
		return refuse(error, "the driver %s cannot bring the device to %s",
			      dev_driver_string(vdev->dev), state_name(wanted));
	if (state == VFIO_DEVICE_STATE_ERROR)
		return refuse(error,
			      "the device cannot go to %s: it is in ERROR, which only a reset ends",
			      state_name(wanted));
	return refuse(error, "the driver %s cannot bring the device to %s; it is in %s now",
		      dev_driver_string(vdev->dev), state_name(wanted),
		      state_name(state));
}

static int mig_get_state(struct vfio_device *vdev, void __user *data)
{
	struct vfio_device_feature_mig_state mig = { .data_fd = -1 };
	enum vfio_device_mig_state state;
	int ret;

	ret = vdev->mig_ops->migration_get_state(vdev, &state);
	if (ret)
		return refuse(ret, "the driver %s cannot tell the state of the device",
			      dev_driver_string(vdev->dev));
	mig.device_state = state;
	if (copy_to_user(data, &mig, sizeof(mig)))
		return refuse(-EFAULT, NO_ANSWER);
	return 0;
}

/* Give the user the file that the state of the device is moved through */
static int mig_install(struct file *file, void __user *data,
		       struct vfio_device_feature_mig_state *mig)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0) {
		fput(file);
		return refuse(fd, "the process may open no more files");
	}
	mig->data_fd = fd;
	if (copy_to_user(data, mig, sizeof(*mig))) {
		put_unused_fd(fd);
		fput(file);
		return refuse(-EFAULT, NO_ANSWER);
	}
	fd_install(fd, file);
	return 0;
}

static int mig_set_state(struct vfio_device *vdev, void __user *data)
{
	struct vfio_device_feature_mig_state mig;
	struct file *file;

	if (copy_from_user(&mig, data, sizeof(mig)))
		return refuse(-EFAULT, NO_ARGUMENT);

	file = vdev->mig_ops->migration_set_state(vdev, mig.device_state);
	if (!IS_ERR_OR_NULL(file))
		return mig_install(file, data, &mig);

	mig.data_fd = -1;
	if (copy_to_user(data, &mig, sizeof(mig)))
		return refuse(-EFAULT, NO_ANSWER);
	return file ? refuse_state(vdev, mig.device_state, PTR_ERR(file)) : 0;
}

int vfio_feature_mig_state(struct vfio_device *vdev, u32 ops,
			   void __user *data)
{
	return ops & VFIO_DEVICE_FEATURE_GET ? mig_get_state(vdev, data) :
					       mig_set_state(vdev, data);
}
