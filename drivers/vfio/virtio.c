// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio devices that do not obey the IOMMU.
 *
 * In a virtual machine a virtio device goes through the machine's IOMMU only if
 * it offers VIRTIO_F_ACCESS_PLATFORM (Virtual I/O Device specification, reserved
 * feature bits). Any other reaches all memory of the machine, so giving it to a
 * user is giving him the machine. Hardware that speaks virtio on a host of its own
 * has no way around the IOMMU.
 */
#include <linux/cpufeature.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "vfio.h"

/* How much of the common registers is looked at */
#define USED_LENGTH offsetofend(struct virtio_pci_common_cfg, device_feature)

static bool allow_virtio_bypass;
module_param(allow_virtio_bypass, bool, 0644);
MODULE_PARM_DESC(allow_virtio_bypass,
		 "Give users virtio devices that go past the IOMMU of this virtual machine: they can reach all of its memory (default: N)");

static bool in_virtual_machine(void)
{
	return IS_ENABLED(CONFIG_X86) && boot_cpu_has(X86_FEATURE_HYPERVISOR);
}

static bool is_virtio_pci(struct device *dev)
{
	if (!dev_is_pci(dev))
		return false;
	return to_pci_dev(dev)->vendor == PCI_VENDOR_ID_REDHAT_QUMRANET &&
	       to_pci_dev(dev)->device >= 0x1000 &&
	       to_pci_dev(dev)->device <= 0x107f;
}

/*
 * The registers that features are read from; a legacy device has none. Those that
 * are used are at their beginning, and must not reach beyond the BAR, whatever
 * the device says.
 */
static struct virtio_pci_common_cfg __iomem *map_common(struct pci_dev *pdev)
{
	u32 offset;
	u8 type;
	u8 bar;
	int pos;

	for (pos = pci_find_capability(pdev, PCI_CAP_ID_VNDR); pos;
	     pos = pci_find_next_capability(pdev, pos, PCI_CAP_ID_VNDR)) {
		pci_read_config_byte(pdev, pos +
				     offsetof(struct virtio_pci_cap, cfg_type),
				     &type);
		if (type != VIRTIO_PCI_CAP_COMMON_CFG)
			continue;
		pci_read_config_byte(pdev, pos +
				     offsetof(struct virtio_pci_cap, bar),
				     &bar);
		pci_read_config_dword(pdev, pos +
				      offsetof(struct virtio_pci_cap, offset),
				      &offset);
		if (bar < PCI_STD_NUM_BARS &&
		    pci_resource_len(pdev, bar) >= (u64)offset + USED_LENGTH)
			return pci_iomap_range(pdev, bar, offset, USED_LENGTH);
	}
	return NULL;
}

static bool offers_access_platform(struct pci_dev *pdev)
{
	struct virtio_pci_common_cfg __iomem *common = map_common(pdev);
	u32 features;

	if (!common)
		return false;
	iowrite32(1, &common->device_feature_select);
	features = ioread32(&common->device_feature);
	pci_iounmap(pdev, common);
	return features & BIT(VIRTIO_F_ACCESS_PLATFORM - 32);
}

/**
 * vfio_virtio_check - Does the IOMMU stand between a device and memory?
 * @vdev: a device that its driver has opened, so that its registers answer
 *
 * Return: 0, or -EPERM when the device goes past the IOMMU and nobody allowed it.
 */
int vfio_virtio_check(struct vfio_device *vdev)
{
	if (!is_virtio_pci(vdev->dev) || !in_virtual_machine() ||
	    offers_access_platform(to_pci_dev(vdev->dev)) ||
	    READ_ONCE(allow_virtio_bypass))
		return 0;
	dev_warn_ratelimited(vdev->dev,
			     "goes past the IOMMU: its virtual machine must give it VIRTIO_F_ACCESS_PLATFORM (QEMU: iommu_platform=on); vfio.allow_virtio_bypass=1 allows it nevertheless\n");
	return refuse(-EPERM,
		      "the virtio device goes past the IOMMU: it lacks VIRTIO_F_ACCESS_PLATFORM (QEMU: iommu_platform=on), and vfio.allow_virtio_bypass is off");
}
