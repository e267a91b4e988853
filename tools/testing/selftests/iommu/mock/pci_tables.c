// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the page tables of Intel's IOMMU, read from memory as the hardware
 * reads it: from the register with the root table down to the leaves.
 */
#include <linux/acpi.h>
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/seq_file.h>

#include "mock.h"

#define RTADDR_REG		0x20
#define RTADDR_MODE		GENMASK_ULL(11, 10)
#define TABLE_ADDRESS		GENMASK_ULL(51, 12)

#define ROOT_PRESENT		BIT_ULL(0)
#define CONTEXT_PRESENT		BIT_ULL(0)
#define CONTEXT_TYPE		GENMASK_ULL(3, 2)
#define CONTEXT_PASSTHROUGH	(2ULL << 2)
#define CONTEXT_LEVELS		GENMASK_ULL(2, 0)

#define PTE_PRESENT		GENMASK_ULL(1, 0)
#define PTE_LARGE		BIT_ULL(7)
#define PTE_SNOOP		BIT_ULL(11)
#define PTES			512

struct leaves {
	unsigned long all;
	unsigned long snooping;
};

static void count_leaves(u64 table, int level, struct leaves *leaves)
{
	const u64 *ptes = phys_to_virt(table & TABLE_ADDRESS);
	int i;

	for (i = 0; i < PTES; i++) {
		u64 pte = READ_ONCE(ptes[i]);

		if (!(pte & PTE_PRESENT))
			continue;
		if (level > 1 && !(pte & PTE_LARGE)) {
			count_leaves(pte, level - 1, leaves);
			continue;
		}
		leaves->all++;
		leaves->snooping += !!(pte & PTE_SNOOP);
	}
}

/* "BDF leaves N snooping N" for a device that translates by tables of its own */
static void show_device(struct seq_file *seq, u64 root, struct pci_dev *pdev)
{
	const u64 *roots = phys_to_virt(root & TABLE_ADDRESS);
	const u64 *contexts;
	struct leaves leaves = {};
	u64 entry, low, high;

	entry = READ_ONCE(roots[2 * pdev->bus->number]);
	if (!(entry & ROOT_PRESENT))
		return;
	contexts = phys_to_virt(entry & TABLE_ADDRESS);
	low = READ_ONCE(contexts[2 * pdev->devfn]);
	high = READ_ONCE(contexts[2 * pdev->devfn + 1]);
	if (!(low & CONTEXT_PRESENT) ||
	    (low & CONTEXT_TYPE) == CONTEXT_PASSTHROUGH)
		return;
	/* 1 stands for three levels */
	count_leaves(low, (high & CONTEXT_LEVELS) + 2, &leaves);
	seq_printf(seq, "%s leaves %lu snooping %lu\n", pci_name(pdev),
		   leaves.all, leaves.snooping);
}

static int show_unit(struct seq_file *seq, struct acpi_dmar_header *header)
{
	struct acpi_dmar_hardware_unit *unit =
		container_of(header, struct acpi_dmar_hardware_unit, header);
	void __iomem *base = ioremap(unit->address, PAGE_SIZE);
	struct pci_dev *pdev = NULL;
	u64 root;

	if (!base)
		return -ENOMEM;
	root = readq(base + RTADDR_REG);
	iounmap(base);
	/* Another mode has other tables */
	if (root & RTADDR_MODE)
		return -EOPNOTSUPP;
	for_each_pci_dev(pdev)
		show_device(seq, root, pdev);
	return 0;
}

static int pci_tables_show(struct seq_file *seq, void *unused)
{
	struct acpi_dmar_header *unit;
	struct acpi_table_header *dmar;
	acpi_status status;
	void *end;
	int ret = 0;

	status = acpi_get_table(ACPI_SIG_DMAR, 0, &dmar);
	if (ACPI_FAILURE(status))
		return -ENODEV;
	end = (void *)dmar + dmar->length;
	for (unit = (void *)dmar + sizeof(struct acpi_table_dmar);
	     !ret && (void *)unit < end && unit->length;
	     unit = (void *)unit + unit->length)
		if (unit->type == ACPI_DMAR_TYPE_HARDWARE_UNIT)
			ret = show_unit(seq, unit);
	acpi_put_table(dmar);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(pci_tables);

void mock_pci_tables_init(struct dentry *dir)
{
	debugfs_create_file("pci_tables", 0400, dir, NULL, &pci_tables_fops);
}
