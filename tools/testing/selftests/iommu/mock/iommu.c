// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU that records what it is told, and devices behind it.
 *
 * It keeps a flag in each entry as VT-d does: a domain that enforces snooping
 * writes it into the entries that are made from then on, and refuses a device that
 * cannot snoop. An empty domain says that it enforces, for want of a device that
 * speaks against it. And as with VT-d a domain becomes as wide as the device that was
 * attached last.
 */
#include <linux/debugfs.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "mock.h"

#define NAME		"iommufd_mock"
#define NR_DEVICES	4
#define WIDTH		48

/* An entry: the page frame number above these */
#define ENTRY_SNOOP	BIT(0)
#define ENTRY_SHIFT	1

/**
 * struct mock_domain - A domain
 * @domain: to the core
 * @node: in domains
 * @id: for the user
 * @enforces: snooping
 * @entries: by the index of the IOVA
 * @nr_entries: how many
 * @nr_snooping: those with the flag
 * @nr_devices: that are attached
 * @nr_incapable: those of them that cannot snoop
 */
struct mock_domain {
	struct iommu_domain domain;
	struct list_head node;
	unsigned int id;
	bool enforces;
	struct xarray entries;
	unsigned long nr_entries;
	unsigned long nr_snooping;
	unsigned int nr_devices;
	unsigned int nr_incapable;
};

/**
 * struct mock_device - A device behind the IOMMU
 * @dev: on the bus
 * @iommu: what the core looks at
 * @snoops: its IOMMU can force it to snoop
 * @width: bits of an IOVA that its IOMMU knows
 * @attached: where; NULL while nowhere
 */
struct mock_device {
	struct device dev;
	struct dev_iommu iommu;
	bool snoops;
	u32 width;
	struct mock_domain *attached;
};

/* Guards all domains */
static DEFINE_MUTEX(mock_lock);
static LIST_HEAD(domains);
static unsigned int next_id;
/*
 * How often something happened to a domain that lets no-snoop DMA pass while the
 * virtual machine of an open device was not prepared for that.
 */
static u32 surprises;
/* How often a device was too narrow for a domain that others used */
static u32 narrowed;

static struct mock_device *devices[NR_DEVICES];

static struct mock_domain *to_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

static struct mock_device *to_device(struct device *dev)
{
	return container_of(dev, struct mock_device, dev);
}

static void look_for_surprise(struct mock_domain *mock)
{
	lockdep_assert_held(&mock_lock);

	if (!mock->enforces && mock->nr_devices && mock->nr_entries &&
	    mock_mdev_kvm_is_unprepared())
		surprises++;
}

static void detach(struct mock_device *device)
{
	struct mock_domain *mock = device->attached;

	lockdep_assert_held(&mock_lock);

	if (!mock)
		return;
	look_for_surprise(mock);
	mock->nr_devices--;
	mock->nr_incapable -= !device->snoops;
	device->attached = NULL;
}

static dma_addr_t aperture_end(const struct mock_device *device)
{
	return GENMASK_ULL(READ_ONCE(device->width) - 1, 0);
}

static int mock_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_domain *mock = to_domain(domain);
	struct mock_device *device = to_device(dev);
	int ret = 0;

	mutex_lock(&mock_lock);
	if (mock->enforces && !device->snoops) {
		ret = -EOPNOTSUPP;
		goto out_unlock;
	}
	detach(device);
	if (mock->nr_devices &&
	    domain->geometry.aperture_end > aperture_end(device))
		narrowed++;
	domain->geometry.aperture_end = aperture_end(device);
	device->attached = mock;
	mock->nr_devices++;
	mock->nr_incapable += !device->snoops;
	look_for_surprise(mock);
out_unlock:
	mutex_unlock(&mock_lock);
	return ret;
}

static void mock_detach_dev(struct iommu_domain *domain, struct device *dev)
{
	mutex_lock(&mock_lock);
	detach(to_device(dev));
	mutex_unlock(&mock_lock);
}

/*
 * Makes room for entries: nothing may be allocated under mock_lock, which is taken
 * with locks held that memory reclaim may wait for.
 */
static int reserve(struct mock_domain *mock, unsigned long index, size_t count,
		   gfp_t gfp)
{
	size_t i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = xa_reserve(&mock->entries, index + i, gfp);
		if (ret)
			goto err_release;
	}
	return 0;

err_release:
	while (i--)
		xa_release(&mock->entries, index + i);
	return ret;
}

static int mock_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t paddr, size_t pgsize, size_t pgcount,
			  int prot, gfp_t gfp, size_t *mapped)
{
	struct mock_domain *mock = to_domain(domain);
	unsigned long index = iova >> PAGE_SHIFT;
	unsigned long entry;
	int ret;

	ret = reserve(mock, index, pgcount, gfp);
	if (ret)
		return ret;
	mutex_lock(&mock_lock);
	for (; pgcount--; index++) {
		if (WARN_ON(xa_load(&mock->entries, index))) {
			ret = -EEXIST;
			break;
		}
		entry = PHYS_PFN(paddr) << ENTRY_SHIFT;
		entry |= mock->enforces ? ENTRY_SNOOP : 0;
		xa_store(&mock->entries, index, xa_mk_value(entry), GFP_NOWAIT);
		mock->nr_entries++;
		mock->nr_snooping += mock->enforces;
		*mapped += pgsize;
		paddr += pgsize;
	}
	look_for_surprise(mock);
	mutex_unlock(&mock_lock);
	return ret;
}

static size_t mock_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t pgsize, size_t pgcount,
			       struct iommu_iotlb_gather *gather)
{
	struct mock_domain *mock = to_domain(domain);
	size_t unmapped = 0;
	void *entry;

	mutex_lock(&mock_lock);
	look_for_surprise(mock);
	while (pgcount--) {
		entry = xa_erase(&mock->entries, iova >> PAGE_SHIFT);
		if (!entry)
			break;
		mock->nr_entries--;
		mock->nr_snooping -= xa_to_value(entry) & ENTRY_SNOOP;
		unmapped += pgsize;
		iova += pgsize;
	}
	mutex_unlock(&mock_lock);
	return unmapped;
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *domain,
				     dma_addr_t iova)
{
	void *entry = xa_load(&to_domain(domain)->entries, iova >> PAGE_SHIFT);

	return entry ? PFN_PHYS(xa_to_value(entry) >> ENTRY_SHIFT) |
		       offset_in_page(iova) : 0;
}

static bool mock_enforce(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_domain(domain);
	bool can;

	mutex_lock(&mock_lock);
	can = !mock->nr_incapable;
	mock->enforces |= can;
	mutex_unlock(&mock_lock);
	return can;
}

static void mock_free(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_domain(domain);

	mutex_lock(&mock_lock);
	list_del(&mock->node);
	WARN_ON(mock->nr_devices);
	mutex_unlock(&mock_lock);
	xa_destroy(&mock->entries);
	kfree(mock);
}

static struct iommu_domain *mock_domain_alloc(unsigned int type)
{
	struct mock_domain *mock;

	if (type != IOMMU_DOMAIN_UNMANAGED)
		return NULL;
	mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	if (!mock)
		return NULL;
	xa_init(&mock->entries);
	mock->domain.geometry.aperture_end = GENMASK_ULL(WIDTH - 1, 0);
	mock->domain.geometry.force_aperture = true;
	mutex_lock(&mock_lock);
	mock->id = next_id++;
	list_add_tail(&mock->node, &domains);
	mutex_unlock(&mock_lock);
	return &mock->domain;
}

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY || cap == IOMMU_CAP_INTR_REMAP;
}

static const struct iommu_domain_ops mock_domain_ops = {
	.attach_dev		 = mock_attach_dev,
	.detach_dev		 = mock_detach_dev,
	.map_pages		 = mock_map_pages,
	.unmap_pages		 = mock_unmap_pages,
	.iova_to_phys		 = mock_iova_to_phys,
	.enforce_cache_coherency = mock_enforce,
	.free			 = mock_free,
};

static const struct iommu_ops mock_ops = {
	.capable		= mock_capable,
	.domain_alloc		= mock_domain_alloc,
	.default_domain_ops	= &mock_domain_ops,
	.pgsize_bitmap		= PAGE_SIZE,
	.owner			= THIS_MODULE,
};

static struct iommu_device mock_iommu = { .ops = &mock_ops };

/* Not known to the core as an IOMMU's bus: it would want to probe the devices */
static struct bus_type mock_bus = {
	.name		= NAME,
	.iommu_ops	= &mock_ops,
};

static const struct vfio_device_ops mock_vfio_ops = {
	.name		= NAME,
	.release	= vfio_free_device,
};

static int mock_probe(struct device *dev)
{
	struct vfio_device *vdev;
	int ret;

	vdev = _vfio_alloc_device(sizeof(*vdev), dev, &mock_vfio_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	ret = vfio_register_group_dev(vdev);
	if (ret)
		vfio_put_device(vdev);
	else
		dev_set_drvdata(dev, vdev);
	return ret;
}

static int mock_remove(struct device *dev)
{
	struct vfio_device *vdev = dev_get_drvdata(dev);

	vfio_unregister_group_dev(vdev);
	vfio_put_device(vdev);
	return 0;
}

static struct device_driver mock_driver = {
	.name			= NAME,
	.bus			= &mock_bus,
	.owner			= THIS_MODULE,
	.probe			= mock_probe,
	.remove			= mock_remove,
	.suppress_bind_attrs	= true,
};

static void mock_device_release(struct device *dev)
{
	kfree(to_device(dev));
}

/* Each is a group of its own */
static int device_join_group(struct device *dev)
{
	struct iommu_group *group = iommu_group_alloc();
	int ret;

	if (IS_ERR(group))
		return PTR_ERR(group);
	ret = iommu_group_add_device(group, dev);
	iommu_group_put(group);
	return ret;
}

static struct mock_device *device_make(int index)
{
	struct mock_device *device;
	int ret;

	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return ERR_PTR(-ENOMEM);
	device->snoops = index % 2 == 0;
	device->width = WIDTH;
	mutex_init(&device->iommu.lock);
	device->iommu.iommu_dev = &mock_iommu;
	device_initialize(&device->dev);
	device->dev.bus = &mock_bus;
	device->dev.iommu = &device->iommu;
	device->dev.release = mock_device_release;
	ret = dev_set_name(&device->dev, "mock%d", index);
	if (!ret)
		ret = device_add(&device->dev);
	if (ret) {
		put_device(&device->dev);
		return ERR_PTR(ret);
	}
	ret = device_join_group(&device->dev);
	if (ret) {
		device_unregister(&device->dev);
		return ERR_PTR(ret);
	}
	return device;
}

static void device_destroy_first(int nr)
{
	while (nr--) {
		iommu_group_remove_device(&devices[nr]->dev);
		device_unregister(&devices[nr]->dev);
	}
}

/* "domain ID devices N enforces 0|1 entries N snooping N" of those in use */
static int domains_show(struct seq_file *seq, void *unused)
{
	struct mock_domain *mock;

	mutex_lock(&mock_lock);
	list_for_each_entry(mock, &domains, node)
		if (mock->nr_devices)
			seq_printf(seq,
				   "domain %u devices %u enforces %u entries %lu snooping %lu\n",
				   mock->id, mock->nr_devices, mock->enforces,
				   mock->nr_entries, mock->nr_snooping);
	mutex_unlock(&mock_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(domains);

int mock_iommu_init(struct dentry *dir)
{
	int ret, i;

	ret = bus_register(&mock_bus);
	if (ret)
		return ret;
	for (i = 0; i < NR_DEVICES; i++) {
		devices[i] = device_make(i);
		if (IS_ERR(devices[i])) {
			ret = PTR_ERR(devices[i]);
			goto err_devices;
		}
	}
	/* Now, because it wants its devices in their groups */
	ret = driver_register(&mock_driver);
	if (ret)
		goto err_devices;
	debugfs_create_file("domains", 0400, dir, NULL, &domains_fops);
	debugfs_create_u32("surprises", 0400, dir, &surprises);
	debugfs_create_u32("narrowed", 0400, dir, &narrowed);
	debugfs_create_u32("width", 0600, dir, &devices[NR_DEVICES - 1]->width);
	return 0;

err_devices:
	device_destroy_first(i);
	bus_unregister(&mock_bus);
	return ret;
}

void mock_iommu_exit(void)
{
	driver_unregister(&mock_driver);
	device_destroy_first(NR_DEVICES);
	bus_unregister(&mock_bus);
}
