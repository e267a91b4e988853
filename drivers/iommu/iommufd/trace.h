/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/tracepoint.h>

/*
 * A device's DMA becomes coherent or not, or, without a device, the answer for
 * the whole file changes by its policy.
 */
TRACE_EVENT(iommufd_coherency,
	TP_PROTO(const struct device *dev, const char *cause, bool noncoherent,
		 unsigned int nr),
	TP_ARGS(dev, cause, noncoherent, nr),
	TP_STRUCT__entry(
		__string(device, dev ? dev_name(dev) : "-")
		__string(cause, cause)
		__field(bool, noncoherent)
		__field(unsigned int, nr)
	),
	TP_fast_assign(
		__assign_str(device, dev ? dev_name(dev) : "-");
		__assign_str(cause, cause);
		__entry->noncoherent = noncoherent;
		__entry->nr = nr;
	),
	TP_printk("device=%s cause=%s noncoherent=%d devices=%u",
		  __get_str(device), __get_str(cause), __entry->noncoherent,
		  __entry->nr)
);

/* Memory is mapped, by whichever call */
TRACE_EVENT(iommufd_map,
	TP_PROTO(u32 ioas, u64 iova, u64 length, int prot),
	TP_ARGS(ioas, iova, length, prot),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(int, prot)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->length = length;
		__entry->prot = prot & (IOMMU_READ | IOMMU_WRITE);
	),
	TP_printk("ioas=%u iova=0x%llx length=0x%llx prot=%s", __entry->ioas,
		  __entry->iova, __entry->length,
		  __print_flags(__entry->prot, "|", { IOMMU_READ, "read" },
				{ IOMMU_WRITE, "write" }))
);

/* All mappings from iova to last are gone, which were unmapped bytes together */
TRACE_EVENT(iommufd_unmap,
	TP_PROTO(u32 ioas, u64 iova, u64 last, u64 unmapped),
	TP_ARGS(ioas, iova, last, unmapped),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, last)
		__field(u64, unmapped)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->last = last;
		__entry->unmapped = unmapped;
	),
	TP_printk("ioas=%u iova=0x%llx last=0x%llx unmapped=0x%llx",
		  __entry->ioas, __entry->iova, __entry->last,
		  __entry->unmapped)
);

/* The memory of a mapping cannot be pinned: start is an address, or an offset in a file */
TRACE_EVENT(iommufd_pin_failed,
	TP_PROTO(u64 start, u64 npages, bool file, bool write, int error),
	TP_ARGS(start, npages, file, write, error),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, npages)
		__field(bool, file)
		__field(bool, write)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->npages = npages;
		__entry->file = file;
		__entry->write = write;
		__entry->error = error;
	),
	TP_printk("start=0x%llx npages=%llu file=%d write=%d error=%d",
		  __entry->start, __entry->npages, __entry->file,
		  __entry->write, __entry->error)
);

/* A device, or what stands for one, is bound to a /dev/iommu, or not any more */
DECLARE_EVENT_CLASS(iommufd_device,
	TP_PROTO(const struct device *dev, u32 id, int group),
	TP_ARGS(dev, id, group),
	TP_STRUCT__entry(
		__string(device, dev ? dev_name(dev) : "-")
		__field(u32, id)
		__field(int, group)
	),
	TP_fast_assign(
		__assign_str(device, dev ? dev_name(dev) : "-");
		__entry->id = id;
		__entry->group = group;
	),
	TP_printk("device=%s id=%u group=%d", __get_str(device), __entry->id,
		  __entry->group)
);

DEFINE_EVENT(iommufd_device, iommufd_bind,
	TP_PROTO(const struct device *dev, u32 id, int group),
	TP_ARGS(dev, id, group)
);

DEFINE_EVENT(iommufd_device, iommufd_unbind,
	TP_PROTO(const struct device *dev, u32 id, int group),
	TP_ARGS(dev, id, group)
);

/*
 * A device translates, or not any more, through a HWPT of an IOAS, or, when the CPU
 * does its DMA, works on an IOAS without one: the HWPT is 0 then.
 */
DECLARE_EVENT_CLASS(iommufd_attachment,
	TP_PROTO(const struct device *dev, u32 id, u32 hwpt, u32 ioas),
	TP_ARGS(dev, id, hwpt, ioas),
	TP_STRUCT__entry(
		__string(device, dev ? dev_name(dev) : "-")
		__field(u32, id)
		__field(u32, hwpt)
		__field(u32, ioas)
	),
	TP_fast_assign(
		__assign_str(device, dev ? dev_name(dev) : "-");
		__entry->id = id;
		__entry->hwpt = hwpt;
		__entry->ioas = ioas;
	),
	TP_printk("device=%s id=%u hwpt=%u ioas=%u", __get_str(device),
		  __entry->id, __entry->hwpt, __entry->ioas)
);

DEFINE_EVENT(iommufd_attachment, iommufd_attach,
	TP_PROTO(const struct device *dev, u32 id, u32 hwpt, u32 ioas),
	TP_ARGS(dev, id, hwpt, ioas)
);

DEFINE_EVENT(iommufd_attachment, iommufd_replace,
	TP_PROTO(const struct device *dev, u32 id, u32 hwpt, u32 ioas),
	TP_ARGS(dev, id, hwpt, ioas)
);

DEFINE_EVENT(iommufd_attachment, iommufd_detach,
	TP_PROTO(const struct device *dev, u32 id, u32 hwpt, u32 ioas),
	TP_ARGS(dev, id, hwpt, ioas)
);

/* A call that fails, with the reason that fdinfo shows, too */
TRACE_EVENT(iommufd_refusal,
	TP_PROTO(const char *call, unsigned int cmd, int error,
		 const char *reason),
	TP_ARGS(call, cmd, error, reason),
	TP_STRUCT__entry(
		__string(call, call ? call : "-")
		__field(unsigned int, cmd)
		__field(int, error)
		__string(reason, reason)
	),
	TP_fast_assign(
		__assign_str(call, call ? call : "-");
		__entry->cmd = cmd;
		__entry->error = error;
		__assign_str(reason, reason);
	),
	TP_printk("call=%s cmd=0x%x error=%d reason=%s", __get_str(call),
		  __entry->cmd, __entry->error, __get_str(reason))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
