// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two functions of one card, each in an IOMMU group of its own: they are reset
 * together, but the user of one does not wait for the arguments or the memory of the
 * other's, who can keep the kernel waiting for them as long as he likes.
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define INTEL	0x8086
#define IGB	0x10c9
#define E1000E	0x10d3
/* Far more than what is not kept waiting takes, in seconds */
#define LONG	30

/* A page that the kernel waits for */
struct held_page {
	char *page;
	int holder;
	bool filled;
};

/* With @data the kernel can read the page and not write it, else neither. */
static int hold(struct held_page *held, const void *data, size_t size)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register area = {
		.range.len = PAGE,
		.mode = data ? UFFDIO_REGISTER_MODE_WP :
			       UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_writeprotect protect = {
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	held->filled = data;
	held->page = memory_of_pages(PAGE);
	if (!held->page)
		return -ENOMEM;
	if (data)
		memcpy(held->page, data, size);
	held->holder = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (held->holder < 0)
		return -errno;
	area.range.start = (uintptr_t)held->page;
	protect.range = area.range;
	return xioctl(held->holder, UFFDIO_API, &api) ?:
	       xioctl(held->holder, UFFDIO_REGISTER, &area) ?:
	       !data ? 0 : xioctl(held->holder, UFFDIO_WRITEPROTECT, &protect);
}

/* Whether the kernel waits for the page now */
static bool is_waited_for(const struct held_page *held)
{
	struct pollfd fault = { .fd = held->holder, .events = POLLIN };
	struct uffd_msg message;

	return poll(&fault, 1, LONG * 1000) == 1 &&
	       read(held->holder, &message, sizeof(message)) == sizeof(message);
}

static int let_go(const struct held_page *held)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)held->page, .len = PAGE },
	};
	struct uffdio_writeprotect protect = { .range = zero.range };

	return held->filled ?
	       xioctl(held->holder, UFFDIO_WRITEPROTECT, &protect) :
	       xioctl(held->holder, UFFDIO_ZEROPAGE, &zero);
}

/*
 * A file of one page whose content the kernel waits for. A page that is pinned for long
 * cannot be waited for by userfaultfd.
 */
struct slow_file {
	char folder[32];
	pid_t server;
	/* The server writes here when it is asked for the page */
	int asked;
	/* and answers when this is written to, or closed */
	int answer;
};

#define FILE_INODE	2

static int server_asked;
static int server_answer;

/* There are the root and the file. */
static struct stat stat_of(fuse_ino_t inode)
{
	const bool file = inode == FILE_INODE;

	return (struct stat){
		.st_ino = inode,
		.st_mode = file ? S_IFREG | 0600 : S_IFDIR | 0700,
		.st_nlink = 1,
		.st_size = file ? PAGE : 0,
	};
}

static void slow_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {
		.ino = FILE_INODE,
		.attr = stat_of(FILE_INODE),
	};

	fuse_reply_entry(request, &entry);
}

static void slow_getattr(fuse_req_t request, fuse_ino_t inode,
			 struct fuse_file_info *info)
{
	struct stat stat = stat_of(inode);

	fuse_reply_attr(request, &stat, 0);
}

static void slow_read(fuse_req_t request, fuse_ino_t inode, size_t size,
		      off_t offset, struct fuse_file_info *info)
{
	char content[PAGE] = { 0 };

	if (write(server_asked, "", 1) != 1 || read(server_answer, content, 1) < 0)
		fuse_reply_err(request, EIO);
	else
		fuse_reply_buf(request, content, sizeof(content));
}

static void slow_write(fuse_req_t request, fuse_ino_t inode, const char *content,
		       size_t size, off_t offset, struct fuse_file_info *info)
{
	fuse_reply_write(request, size);
}

static int serve(const char *folder)
{
	static const struct fuse_lowlevel_ops ops = {
		.lookup = slow_lookup,
		.getattr = slow_getattr,
		.read = slow_read,
		.write = slow_write,
	};
	char *words[] = { "slow" };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);
	struct fuse_session *session;

	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, folder))
		return 1;
	/* There is something to open now */
	if (write(server_asked, "", 1) != 1)
		return 1;
	return fuse_session_loop(session);
}

static bool is_asked(const struct slow_file *file)
{
	struct pollfd asked = { .fd = file->asked, .events = POLLIN };
	char byte;

	return poll(&asked, 1, LONG * 1000) == 1 &&
	       read(file->asked, &byte, 1) == 1;
}

static int slow_file_start(struct slow_file *file)
{
	int asked[2], answer[2];

	strcpy(file->folder, "/tmp/slow.XXXXXX");
	if (!mkdtemp(file->folder) || pipe2(asked, O_CLOEXEC) ||
	    pipe2(answer, O_CLOEXEC))
		return -errno;
	file->asked = asked[0];
	file->answer = answer[1];
	file->server = fork();
	if (!file->server) {
		close(file->asked);
		close(file->answer);
		server_asked = asked[1];
		server_answer = answer[0];
		_exit(serve(file->folder));
	}
	close(asked[1]);
	close(answer[0]);
	return file->server < 0 ? -errno : is_asked(file) ? 0 : -EIO;
}

static void *slow_file_map(const struct slow_file *file)
{
	char path[64];
	void *memory;
	int fd;

	snprintf(path, sizeof(path), "%s/page", file->folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static int slow_file_answer(const struct slow_file *file)
{
	return write(file->answer, "", 1) == 1 ? 0 : -errno;
}

static int slow_file_end(const struct slow_file *file)
{
	close(file->asked);
	close(file->answer);
	/* Nobody has the file any more, so that the server ends */
	if (umount(file->folder) || rmdir(file->folder))
		return -errno;
	return waitpid(file->server, NULL, 0) == file->server ? 0 : -errno;
}

/* A call on a thread of its own */
struct call {
	pthread_t thread;
	int file;
	unsigned long number;
	void *arg;
	int rc;
};

static void *do_call(void *data)
{
	struct call *call = data;

	call->rc = xioctl(call->file, call->number, call->arg);
	return NULL;
}

static int call_start(struct call *call, int file, unsigned long number,
		      void *arg)
{
	*call = (struct call){ .file = file, .number = number, .arg = arg };
	return -pthread_create(&call->thread, NULL, do_call, call);
}

static int call_end(struct call *call)
{
	pthread_join(call->thread, NULL);
	return call->rc;
}

/* What the user of a function does, from its opening to its closing */
struct neighbour {
	pthread_t thread;
	const char *name;
	int rc;
};

static int hot_reset_info(int device)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_device devices[8];
	} info = { .head.argsz = sizeof(info) };

	return xioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info);
}

static void *live(void *data)
{
	struct neighbour *neighbour = data;
	int device = pci_open_device_file(neighbour->name);
	int iommufd = iommufd_open();
	uint32_t id, ioas;
	int rc;

	rc = device < 0 ? device : iommufd < 0 ? iommufd : 0;
	if (!rc)
		rc = ioas_alloc(iommufd, &ioas);
	if (!rc)
		rc = vfio_bind(device, iommufd, &id);
	if (!rc)
		rc = vfio_attach(device, &ioas);
	if (!rc)
		rc = hot_reset_info(device);
	if (!rc)
		rc = vfio_detach(device);
	close(device);
	close(iommufd);
	neighbour->rc = rc;
	return NULL;
}

FIXTURE(functions)
{
	char names[2][PCI_NAME_LEN];
	struct held_page held;
	int iommufd;
	int device;
	uint32_t ioas;
	struct neighbour neighbour;
};

FIXTURE_SETUP(functions)
{
	ASSERT_EQ(0, pci_find(INTEL, IGB, 0, self->names[0]));
	ASSERT_EQ(0, pci_bind_driver(self->names[0], "vfio-pci"));
	ASSERT_EQ(0, pci_find(INTEL, E1000E, 0, self->names[1]));
	ASSERT_EQ(0, pci_bind_driver(self->names[1], "vfio-pci"));
	/* One card, two groups */
	ASSERT_EQ(0, strncmp(self->names[0], self->names[1],
			     strlen("0000:00:00.")));
	ASSERT_NE(pci_group(self->names[0]), pci_group(self->names[1]));
	self->iommufd = iommufd_open();
	ASSERT_GE(self->iommufd, 0);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	self->device = pci_open_device_file(self->names[0]);
	ASSERT_GE(self->device, 0);
	self->neighbour.name = self->names[1];
}

FIXTURE_TEARDOWN(functions)
{
	close(self->device);
	close(self->iommufd);
	EXPECT_EQ(0, pci_unbind_driver(self->names[0]));
	EXPECT_EQ(0, pci_unbind_driver(self->names[1]));
}

/*
 * A call waits for a page. Meanwhile the other function's user does all that there is to
 * do; then the page is let go, and the call succeeds.
 */
#define EXPECT_WAITS_ALONE(_waits, _let_go, _end) do { \
	struct neighbour *_neighbour = &self->neighbour; \
	struct timespec _until; \
	int _late; \
	EXPECT_TRUE(_waits); \
	ASSERT_EQ(0, pthread_create(&_neighbour->thread, NULL, live, \
				    _neighbour)); \
	clock_gettime(CLOCK_REALTIME, &_until); \
	_until.tv_sec += LONG; \
	_late = pthread_timedjoin_np(_neighbour->thread, NULL, &_until); \
	EXPECT_EQ(0, _late); \
	EXPECT_EQ(0, _let_go); \
	EXPECT_EQ(0, _end); \
	if (_late) \
		pthread_join(_neighbour->thread, NULL); \
	EXPECT_EQ(0, _neighbour->rc); \
} while (0)

#define EXPECT_CALL_WAITS_ALONE(_call) \
	EXPECT_WAITS_ALONE(is_waited_for(&self->held), let_go(&self->held), \
			   call_end(_call))

TEST_F(functions, token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
		.iommufd = self->iommufd,
	};
	struct call call;

	ASSERT_EQ(0, hold(&self->held, NULL, 0));
	bind.token_uuid_ptr = (uintptr_t)self->held.page;
	ASSERT_EQ(0, call_start(&call, self->device, VFIO_DEVICE_BIND_IOMMUFD,
				&bind));
	EXPECT_CALL_WAITS_ALONE(&call);
}

TEST_F(functions, answer_of_bind)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = self->iommufd,
	};
	struct call call;

	ASSERT_EQ(0, hold(&self->held, &bind, sizeof(bind)));
	ASSERT_EQ(0, call_start(&call, self->device, VFIO_DEVICE_BIND_IOMMUFD,
				self->held.page));
	EXPECT_CALL_WAITS_ALONE(&call);
}

TEST_F(functions, answer_of_attach)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = self->ioas,
	};
	struct call call;
	uint32_t id;

	ASSERT_EQ(0, vfio_bind(self->device, self->iommufd, &id));
	ASSERT_EQ(0, hold(&self->held, &attach, sizeof(attach)));
	ASSERT_EQ(0, call_start(&call, self->device,
				VFIO_DEVICE_ATTACH_IOMMUFD_PT,
				self->held.page));
	EXPECT_CALL_WAITS_ALONE(&call);
}

/* In a process of its own, because it waits with its memory locked */
static pid_t attach_slow_memory(FIXTURE_DATA(functions) *self,
				const struct slow_file *file)
{
	pid_t child = fork();
	uint64_t iova;
	void *memory;

	if (child)
		return child;
	memory = slow_file_map(file);
	_exit(!memory || ioas_map(self->iommufd, self->ioas, MAP_RW, memory,
				  PAGE, &iova) ||
	      vfio_attach(self->device, &self->ioas));
}

static int exit_code(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

TEST_F(functions, memory_of_attach)
{
	struct slow_file file;
	pid_t child;
	uint32_t id;

	if (access("/dev/fuse", F_OK) && system("modprobe -q fuse"))
		SKIP(return, "this kernel has no FUSE");
	ASSERT_EQ(0, vfio_bind(self->device, self->iommufd, &id));
	ASSERT_EQ(0, slow_file_start(&file));
	child = attach_slow_memory(self, &file);
	ASSERT_LE(0, child);
	EXPECT_WAITS_ALONE(is_asked(&file), slow_file_answer(&file),
			   exit_code(child));
	ASSERT_EQ(0, vfio_detach(self->device));
	ASSERT_EQ(0, iommufd_destroy(self->iommufd, self->ioas));
	EXPECT_EQ(0, slow_file_end(&file));
}

TEST_HARNESS_MAIN
