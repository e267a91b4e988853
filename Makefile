# SPDX-License-Identifier: GPL-2.0-only
#
# modules     both modules, for the kernel whose headers are in KDIR
# selftests   the test programs
# check       both modules with W=1 and sparse, where a warning is an error
# clean       what these make

KDIR ?= /lib/modules/$(shell uname -r)/build
KBUILD := -C $(KDIR) M=$(CURDIR)

all: modules

modules:
	$(MAKE) $(KBUILD) modules
	compat/vfio/check-symvers.sh $(KDIR)/Module.symvers Module.symvers

check:
	$(MAKE) $(KBUILD) W=1 C=2 CF="-Wsparse-error" KCFLAGS=-Werror modules

selftests:
	$(MAKE) -C tools/testing/selftests/iommu
	$(MAKE) -C tools/testing/unit

clean:
	$(MAKE) $(KBUILD) clean
	$(MAKE) -C tools/testing/selftests/iommu clean
	$(MAKE) -C tools/testing/unit clean

.PHONY: all modules check selftests clean
