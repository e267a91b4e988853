# SPDX-License-Identifier: GPL-2.0-only
#
# data: from plot.jq; out: the picture
set terminal svg size 1100,500 font "sans,12" background "white"
set output out
set datafile missing "?"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set logscale y
set yrange [0.05:20000]
set ylabel "instructions per page (c, d: per mapping)"
set grid ytics
set xtics rotate by 45 right
set key outside top center horizontal
plot data using 2:xtic(1) title "/dev/iommu, these modules" lc rgb "#1b6ca8", \
	"" using 3 title "type 1, 6.1" lc rgb "#c0504d", \
	"" using 4 title "iommufd, mainline 7.2 (recorded)" lc rgb "#d9a441", \
	"" using 5 title "floor" lc rgb "#bbbbbb"
