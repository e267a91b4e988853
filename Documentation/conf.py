# SPDX-License-Identifier: GPL-2.0-only

project = "iommufd for Debian 12"
author = "the contributors of this project"
root_doc = "index"
extensions = []
nitpicky = True
html_theme = "alabaster"
html_copy_source = False
html_show_copyright = False
