# SPDX-License-Identifier: GPL-2.0-only
#
# modules     both modules, for the kernel whose headers are in KDIR
# selftests   the test programs
# testmodules a module for some of them, after the modules
# check       all modules with W=1 and sparse, where a warning is an error
# clean       what these make
#
# With IOMMUFD_TEST=1, iommufd.ko answers mainline's own test programs, too.

KDIR ?= /lib/modules/$(shell uname -r)/build
KBUILD := -C $(KDIR) M=$(CURDIR)
MOCK := -C $(KDIR) M=$(CURDIR)/tools/testing/selftests/iommu/mock \
	KBUILD_EXTRA_SYMBOLS=$(CURDIR)/Module.symvers
STRICT := W=1 C=2 CF="-Wsparse-error" KCFLAGS=-Werror

all: modules

modules:
	$(MAKE) $(KBUILD) modules
	compat/vfio/check-symvers.sh $(KDIR)/Module.symvers Module.symvers

check:
	$(MAKE) $(KBUILD) $(STRICT) modules
	$(MAKE) $(MOCK) $(STRICT) modules

testmodules:
	$(MAKE) $(MOCK) modules

selftests:
	$(MAKE) -C tools/testing/selftests/iommu
	$(MAKE) -C tools/testing/unit
	$(MAKE) -C tools/testing/fuzz

clean:
	$(MAKE) $(KBUILD) clean
	$(MAKE) $(MOCK) clean
	$(MAKE) -C tools/testing/selftests/iommu clean
	$(MAKE) -C tools/testing/unit clean
	$(MAKE) -C tools/testing/fuzz clean

.PHONY: all modules check selftests testmodules clean
