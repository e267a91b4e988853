// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's: how often each translated block is executed between the
 * two marks that the benchmark program makes. At the end it writes, for each
 * block, its address, its length in instructions and the number of executions.
 *
 * Debian does not package the header of this interface, so what is used of it
 * is declared here.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

typedef uint64_t qemu_plugin_id;
typedef void qemu_plugin_executed(unsigned int cpu, void *data);

/* Nothing of the guest's state is looked at when called */
#define NO_REGISTERS	0

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id id,
					   void (*call)(qemu_plugin_id id,
							struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_executed *call, int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_executed *call,
					    int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id id,
				    void (*call)(qemu_plugin_id id, void *data),
				    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *data,
			     size_t length);

/* The version of the interface that these declarations are from */
__attribute__((visibility("default"))) int qemu_plugin_version = 4;

struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	uint64_t executions;
};

static struct block *blocks;
static bool active;
static const char *output;

/* See mark_start() and mark_stop() of the program */
static const uint8_t mark[] = { 0x0f, 0x1f, 0x80 };
#define MARK_START	0x62656e01
#define MARK_STOP	0x62656e00

static void on_mark(unsigned int cpu, void *data)
{
	active = data != NULL;
}

static void on_block(unsigned int cpu, void *data)
{
	struct block *block = data;

	if (active)
		block->executions++;
}

static void translated(qemu_plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t i, nr = qemu_plugin_tb_n_insns(tb);
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		abort();
	block->address = qemu_plugin_tb_vaddr(tb);
	block->length = nr;
	block->next = blocks;
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, block);

	for (i = 0; i < nr; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t bytes[sizeof(mark) + sizeof(uint32_t)];
		uint32_t kind;

		if (qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) !=
		    sizeof(bytes) || memcmp(bytes, mark, sizeof(mark)))
			continue;
		memcpy(&kind, bytes + sizeof(mark), sizeof(kind));
		if (kind == MARK_START || kind == MARK_STOP)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
							       NO_REGISTERS,
				kind == MARK_START ? &active : NULL);
	}
}

static void finished(qemu_plugin_id id, void *data)
{
	FILE *file = fopen(output, "w");
	struct block *block;

	if (!file)
		return;
	for (block = blocks; block; block = block->next)
		if (block->executions)
			fprintf(file, "%016llx %llu %llu\n",
				(unsigned long long)block->address,
				(unsigned long long)block->length,
				(unsigned long long)block->executions);
	fclose(file);
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id id, const struct qemu_info *info,
			int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	output = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
