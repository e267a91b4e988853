// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program as a C program that needs nothing but the C library, and the path of
 * each device that it uses as an argument.
 */
#include <ctype.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <string.h>

#include "calls.h"
#include "reduce.h"

#define TEXT(_macro)	TEXT_OF(_macro)
#define TEXT_OF(_value)	#_value

static const char prelude[] =
	"// SPDX-License-Identifier: GPL-2.0-only\n"
	"/*\n"
	" * Arguments: for each number of a device in \"slot\" below, counted from 0, the\n"
	" * path of its device file, that of its group, and its name.\n"
	" */\n"
	"#define _GNU_SOURCE\n"
	"#include <errno.h>\n"
	"#include <fcntl.h>\n"
	"#include <pthread.h>\n"
	"#include <signal.h>\n"
	"#include <stdint.h>\n"
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"#include <sys/eventfd.h>\n"
	"#include <sys/ioctl.h>\n"
	"#include <sys/mman.h>\n"
	"#include <sys/resource.h>\n"
	"#include <sys/wait.h>\n"
	"#include <unistd.h>\n"
	"\n"
	"#define WINDOW_AT\t" TEXT(WINDOW_AT) "\n"
	"#define WINDOW_SIZE\t" TEXT(WINDOW_SIZE) "\n"
	"\n"
	"static uint64_t r[64];\n"
	"static char **slots;\n"
	"\n"
	"/* A structure of which only @room bytes are in memory */\n"
	"static uint8_t *structure(size_t room)\n"
	"{\n"
	"\tuint8_t *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE,\n"
	"\t\t\t   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
	"\n"
	"\tmunmap(at + 4096, 4096);\n"
	"\treturn at + 4096 - room;\n"
	"}\n"
	"\n"
	"static void put(uint8_t *at, size_t room, size_t offset, size_t size, uint64_t value)\n"
	"{\n"
	"\tsize_t i;\n"
	"\n"
	"\tfor (i = 0; i < size && offset + i < room; i++)\n"
	"\t\tat[offset + i] = value >> (8 * i);\n"
	"}\n"
	"\n"
	"static uint64_t get(uint8_t *at, size_t room, size_t offset, size_t size)\n"
	"{\n"
	"\tuint64_t value = 0;\n"
	"\n"
	"\tif (offset + size <= room)\n"
	"\t\tmemcpy(&value, at + offset, size);\n"
	"\treturn value;\n"
	"}\n"
	"\n"
	"static uint64_t in_window(uint64_t at)\n"
	"{\n"
	"\treturn WINDOW_AT + (at - WINDOW_AT) % WINDOW_SIZE;\n"
	"}\n"
	"\n"
	"static size_t window_length(uint64_t at, uint64_t length)\n"
	"{\n"
	"\tuint64_t room = WINDOW_AT + WINDOW_SIZE - in_window(at);\n"
	"\n"
	"\treturn length < room ? length : room;\n"
	"}\n"
	"\n"
	"/* By the kernel, which does not die of memory that is not there */\n"
	"static int touch(uint64_t at, uint64_t length, uint64_t change)\n"
	"{\n"
	"\tchar *to = (char *)in_window(at);\n"
	"\tint pipes[2], rc = 0;\n"
	"\tsize_t done;\n"
	"\n"
	"\tlength = window_length(at, length) % (1 << 20);\n"
	"\tif (pipe(pipes) || fcntl(pipes[0], F_SETFL, O_NONBLOCK) ||\n"
	"\t    fcntl(pipes[1], F_SETFL, O_NONBLOCK))\n"
	"\t\treturn -1;\n"
	"\tfor (done = 0; done < length && rc >= 0; done += 4096) {\n"
	"\t\tif (!change)\n"
	"\t\t\trc = write(pipes[1], to + done, 1);\n"
	"\t\telse if (write(pipes[1], \"\", 1) == 1)\n"
	"\t\t\trc = read(pipes[0], to + done, 1);\n"
	"\t}\n"
	"\tclose(pipes[0]);\n"
	"\tclose(pipes[1]);\n"
	"\treturn rc;\n"
	"}\n"
	"\n"
	"/* The @nth thing fails that this thread asks of the kernel */\n"
	"static void fail(int nth)\n"
	"{\n"
	"\tint file = open(\"/proc/thread-self/fail-nth\", O_RDWR);\n"
	"\n"
	"\tdprintf(file, \"%d\", nth);\n"
	"\tclose(file);\n"
	"}\n"
	"\n";

/* What each call without a structure is in C; $N is its Nth argument. */
static const struct {
	const char *name;
	const char *text;
} in_c[] = {
	{ "open", "open($0 ? \"/dev/vfio/vfio\" : \"/dev/iommu\", O_RDWR)" },
	{ "open_device", "open(slots[3 * $0], O_RDWR)" },
	{ "open_group", "open(slots[3 * $0 + 1], O_RDWR)" },
	{ "group_device", "ioctl($0, 0x3b6a, slots[3 * $1 + 2])" },
	{ "close", "close($0)" },
	{ "dup", "dup($0)" },
	{ "pass", "dup($0) /* by a socket */" },
	{ "eventfd", "eventfd(0, EFD_NONBLOCK)" },
	{ "vm", "ioctl(open(\"/dev/kvm\", O_RDWR), 0xae01, 0)" },
	{ "pread", "pread($0, (uint8_t[512]){ 0 }, $3 % 512, ($1 << 40) + $2)" },
	{ "pwrite", "pwrite($0, &(uint64_t){ $3 }, $4 % 9, ($1 << 40) + $2)" },
	{ "mmap", "(intptr_t)mmap((void *)(in_window($0) & ~4095UL), window_length($0, $1),"
		  " $2, $3 | MAP_FIXED, $4, ($5 << 40) + $6)" },
	{ "munmap", "munmap((void *)in_window($0), window_length($0, $1))" },
	{ "mremap", "(intptr_t)mremap((void *)in_window($0), window_length($0, $1),"
		    " window_length($3, $2), MREMAP_MAYMOVE | MREMAP_FIXED | $4,"
		    " (void *)in_window($3))" },
	{ "madvise", "$2 == MADV_HWPOISON || $2 == 101 ? -1 :"
		     " madvise((void *)in_window($0), window_length($0, $1), $2)" },
	{ "mprotect", "mprotect((void *)in_window($0), window_length($0, $1), $2)" },
	{ "truncate", "ftruncate($0, $1 % (2 * WINDOW_SIZE))" },
	{ "fallocate", "fallocate($0, $1, $2 % (2 * WINDOW_SIZE), $3 % (2 * WINDOW_SIZE))" },
	{ "seal", "fcntl($0, F_ADD_SEALS, $1)" },
	{ "user", "setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ $0 % (1UL << 26), $0 % (1UL << 26) })"
		  " ?: setresgid(1000, 1000, 1000) ?: setresuid(1000, 1000, 1000)" },
	{ "touch", "touch($0, $1, $2)" },
};

static void write_value(const struct arg *arg)
{
	if (arg->ref == NO_REF && arg->value == UINT64_MAX)
		printf("-1");
	else if (arg->ref == NO_REF)
		printf("%#" PRIx64 "UL", arg->value);
	else if (arg->value)
		printf("(r[%d] + %#" PRIx64 ")", arg->ref, arg->value);
	else
		printf("r[%d]", arg->ref);
}

static void write_text(const struct call *call)
{
	const char *name = type_of(call)->name, *text = NULL;
	unsigned int i;

	for (i = 0; i < sizeof(in_c) / sizeof(in_c[0]); i++)
		if (!strcmp(in_c[i].name, name))
			text = in_c[i].text;
	if (!strcmp(name, "memfd")) {
		/* In two steps */
		printf("memfd_create(\"fuzz\", ");
		write_value(&call->args[0]);
		printf(" & (MFD_ALLOW_SEALING | MFD_HUGETLB))");
		return;
	}
	if (type_of(call)->run == call_value_ioctl) {
		printf("ioctl(");
		write_value(&call->args[0]);
		printf(", %#x, ", type_of(call)->request);
		write_value(&call->args[1]);
		printf(")");
		return;
	}
	if (!text) {
		printf("0 /* %s: by hand */", name);
		return;
	}
	for (; *text; text++) {
		if (*text == '$' && isdigit(text[1]))
			write_value(&call->args[*++text - '0']);
		else
			putchar(*text);
	}
}

static void write_ioctl(const struct call *call, unsigned int index)
{
	const struct call_type *type = type_of(call);
	unsigned int room = call->manners[CUT] % STRUCT_MAX ?: STRUCT_MAX, i;

	printf("\tuint8_t *s = structure(%u);\n\n", room);
	for (i = 1; i < nr_args(type); i++) {
		const struct arg_type *arg = &type->args[i];

		if (call->args[i].ref == NO_REF && !call->args[i].value &&
		    arg->sort != INNER)
			continue;
		printf("\tput(s, %u, %u, %u, ", room, arg->offset, arg->size);
		if (arg->sort == INNER && call->args[i].ref == NO_REF &&
		    !call->args[i].value)
			printf("(uintptr_t)s + %" PRIu64, arg->mask);
		else
			write_value(&call->args[i]);
		printf("); /* %s */\n", arg->name);
	}
	if (call->manners[READ_ONLY])
		printf("\tmprotect((void *)((uintptr_t)s & ~4095UL), 4096, PROT_READ);\n");
	printf("\tr[%u] = ioctl(", index);
	write_value(&call->args[0]);
	if (call->manners[POINTER])
		printf(", %#xUL, %#" PRIx64 "UL);\n", type->request,
		       call->manners[POINTER]);
	else
		printf(", %#xUL, s);\n", type->request);
	if (type->made_size)
		printf("\tif (r[%u] != -1UL)\n\t\tr[%u] = get(s, %u, %u, %u);\n",
		       index, index, room, type->made_offset, type->made_size);
}

static void write_call(const struct call *call, unsigned int index)
{
	printf("/* %s */\nstatic void *call_%u(void *unused)\n{\n",
	       type_of(call)->name, index);
	if (!type_of(call)->run) {
		write_ioctl(call, index);
	} else {
		printf("\tr[%u] = ", index);
		write_text(call);
		printf(";\n");
		if (!strcmp(type_of(call)->name, "memfd")) {
			printf("\tr[%u] = ftruncate(r[%u], ", index, index);
			write_value(&call->args[1]);
			printf(" %% (2 * WINDOW_SIZE)) ? -1 : r[%u];\n", index);
		}
	}
	printf("\treturn NULL;\n}\n\n");
}

static void write_main(const struct program *program)
{
	unsigned int i, left = 0;
	bool killed = false;

	printf("int main(int argc, char **argv)\n{\n\tpthread_t beside;\n\n"
	       "\tslots = argv + 1;\n"
	       "\tmmap((void *)%#lx, %#lx, PROT_READ | PROT_WRITE,\n"
	       "\t     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);\n",
	       WINDOW_AT, WINDOW_START);
	for (i = 0; i < program->nr; i++) {
		const struct call *call = &program->calls[i];

		if (type_of(call)->run == call_fork) {
			left = call->args[0].value % 8 + 1;
			killed = call->args[1].value & FORK_KILLED;
			printf("\tif (!fork()) {\n");
		} else {
			if (call->manners[FAIL])
				printf("\tfail(%" PRIu64 ");\n",
				       call->manners[FAIL]);
			if (call->manners[TIMES])
				printf("\tfor (int i = 0; i < %" PRIu64 "; i++)\n\t",
				       call->manners[TIMES] % 64);
			if (call->manners[BESIDE])
				printf("\tpthread_create(&beside, NULL, call_%u, NULL);\n",
				       i);
			else
				printf("\tcall_%u(NULL);\n", i);
			if (call->manners[FAIL])
				printf("\tfail(0);\n");
		}
		if (left && (!--left || i + 1 == program->nr)) {
			printf("\t\t%s;\n\t}\n", killed ? "raise(SIGKILL)" :
			       "_exit(0)");
			left = 0;
		}
	}
	printf("\tusleep(100000);\n\treturn 0;\n}\n");
}

int write_c(const char *path)
{
	static struct program program;
	unsigned int i;

	if (programs_read(&program, 1, path) != 1) {
		fprintf(stderr, "fuzz: %s: no program\n", path);
		return 2;
	}
	fputs(prelude, stdout);
	for (i = 0; i < program.nr; i++)
		if (type_of(&program.calls[i])->run != call_fork)
			write_call(&program.calls[i], i);
	write_main(&program);
	return 0;
}
