package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// report returns a table of all results, with ratios to ours and the growth since the smallest size.
func report(t *tools, all []result) string {
	var b strings.Builder
	b.WriteString("| race | size | who | cpu s | wall s | MiB | cpu / ours | wall / ours | growth | aim |\n" +
		"| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n")
	for i, r := range all {
		for k, name := range r.names {
			c, ours := r.cost[name], r.cost[r.names[0]]
			race, size, aim := "", "", ""
			if k == 0 {
				race, size, aim = r.race.name, fmt.Sprint(r.n, " ", r.race.unit), r.race.aim
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %.3f | %.3f | %.0f | %s | %s | %s | %s |\n", race, size, name, c.cpu.Seconds(),
				c.wall.Seconds(), mib(c.peak), ratio(c.cpu, ours.cpu), ratio(c.wall, ours.wall), growth(all[:i], r, name), aim)
		}
	}
	var with []string
	for _, name := range slices.Sorted(maps.Keys(t.version)) {
		with = append(with, name+": "+t.version[name])
	}
	fmt.Fprintf(&b, "\nWith %s.\n", strings.Join(with, "; "))
	if len(t.missing) > 0 {
		fmt.Fprintf(&b, "Left out: %s.\n", strings.Join(t.missing, ", "))
	}
	return b.String()
}

func ratio(c, ours time.Duration) string {
	if ours <= 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", c.Seconds()/ours.Seconds())
}

// growth returns the exponent of cpu time since the entrant's smallest size.
func growth(before []result, r result, name string) string {
	for _, small := range before {
		if c, ok := small.cost[name]; ok && small.race == r.race {
			return fmt.Sprintf("%.2f", exponent(small.n, r.n, c.cpu, r.cost[name].cpu))
		}
	}
	return ""
}

const (
	begin = "<!-- results: go run ./bench -write -->\n"
	end   = "<!-- end of results -->\n"
)

// writePage writes the results between the marks in a page.
func writePage(name, results string) error {
	page, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(page), begin)
	_, foot, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: the marks of the results are missing", name)
	}
	return os.WriteFile(name, []byte(head+begin+"\n"+results+"\n"+end+foot), 0o600)
}
