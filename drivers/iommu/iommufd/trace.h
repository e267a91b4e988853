/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_H

#include <linux/device.h>
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
