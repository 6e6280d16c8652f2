package teamworkcloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// drafts writes drafts of what was found. There are none only if other servers were compared and nothing was found.
func (x *importer) drafts(server *schema.Resource) {
	unreadable := 0
	for i := range x.here.Resources {
		if x.here.Resources[i].Unreadable {
			unreadable++
		}
	}
	if unreadable > 0 {
		x.notes = append(x.notes, fmt.Sprintf("%s of it may not be read.", wording.Plural(unreadable, "resource")))
	}
	groups := x.sorted()
	if len(groups) == 0 && len(x.notes) == 0 && len(x.seen) > 0 {
		return
	}
	comments := []string{x.overview()}
	if x.target.Expect == nil && x.about.Major != "" {
		comments = append(comments, fmt.Sprintf("It declares no expect. With expect { major = %q } no plan takes another "+
			"server for it.", x.about.Major))
	}
	x.encryption(server, &comments)
	comments = append(comments, x.notes...)
	x.out = append([]schema.Draft{{Addr: server.Addr, Comments: comments}}, x.out...)
	for _, g := range groups {
		x.out = append(x.out, x.draft(g))
	}
}

func (x *importer) overview() string {
	others := "No other declared server could be compared with it."
	if len(x.seen) > 0 {
		others = "Compared with " + wording.List(x.seen) + "."
	}
	text := fmt.Sprintf("%s. %s No interface shows remote resource configurations, their triggers, whether they connect "+
		"encrypted, or which resources are read-only: the page Remote repository management of %s does.",
		x.about.String(), others, x.target.WebPage())
	if len(x.groups) > 0 {
		text += " What follows is concluded from resources of the same id and history. Without trigger it is " +
			"every_commit; a plan changes nothing about it."
	}
	return text
}

// encryption describes the encryption of a server that declares no sync_tls, and drafts the keystore in its settings.
func (x *importer) encryption(server *schema.Resource, comments *[]string) {
	if x.target.SyncTLS != nil {
		return
	}
	shown := x.d.encryption().Show(x.ctx, server, x.about.Release)
	*comments = append(*comments, "It declares no sync_tls. "+strings.Join(shown.Lines, " "))
	if shown.Path == "" || shown.Format == "" || x.target.Host == nil || x.target.Host.SSH == "" {
		return
	}
	x.out = append(x.out, schema.Draft{
		Addr: schema.Addr{Kind: schema.Keystore, Type: string(shown.Format), Name: server.Addr.Name},
		Value: cty.ObjectVal(map[string]cty.Value{
			"path": cty.StringVal(shown.Path), "password": cty.UnknownVal(cty.String),
			"host": cty.ObjectVal(map[string]cty.Value{"ssh": cty.StringVal(x.target.Host.SSH)}),
		}),
		Doubtful: true,
		Comments: []string{fmt.Sprintf("The keystore that the web application of %s uses. Its password and what is in it "+
			"were not read: once it is declared with its password, import it too.", server.Addr)},
		Notes: map[string]string{"host.ssh": "The login's key and known hosts are those of the server's block host."},
	})
}

// draft returns the declaration for a group.
func (x *importer) draft(g *group) schema.Draft {
	values := map[string]cty.Value{
		"source": cty.StringVal(g.source.Address()), "target": cty.StringVal(x.target.Address()),
		"target_category": cty.StringVal(x.written(g.category)),
	}
	notes := map[string]string{}
	var words []cty.Value
	for i := range g.copies {
		r := g.copies[i].Original
		word := resourceWord(g.there, r)
		words = append(words, cty.StringVal(word))
		if word == r.ID {
			notes["resources"] += fmt.Sprintf("%s is %s. ", r.ID, wording.Quote(wording.OneLine(g.there.FullName(r))))
		}
	}
	values["resources"] = cty.ListVal(words)
	for _, path := range x.whole(g) {
		notes["resources"] += fmt.Sprintf("All of category %s is here: where one configuration is made for it, write "+
			"categories instead. ", wording.Quote(wording.OneLine(path)))
	}
	basis, doubts := x.basis(g)
	switch up, err := x.upstream(g); {
	case err != nil:
		doubts = append(doubts, fmt.Sprintf("Whether it has an upstream could not be read: %s.",
			wording.OneLine(err.Error())))
	case up != nil:
		values["upstream"] = cty.StringVal(up.Address())
	}
	comments := append([]string{fmt.Sprintf("%s of %s in category %s of %s. %s",
		wording.Plural(len(g.copies), "resource"), g.source.Address(),
		wording.Quote(wording.OneLine(x.here.Path(g.category))),
		x.target.Address(), basis)}, doubts...)
	return schema.Draft{
		Addr:  schema.Addr{Kind: schema.Sync, Type: product, Name: x.name(g)},
		Value: cty.ObjectVal(values), Comments: comments, Notes: notes, Doubtful: len(doubts) > 0,
		ID: g.source.Address() + "/" + x.written(g.category),
	}
}

// name suggests a name: the two servers, and the category of the copies if there are several from that source.
func (x *importer) name(g *group) string {
	name := named(g.source) + " to " + named(x.target)
	if x.several[g.source] > 1 {
		name += " " + x.here.Path(g.category)
	}
	return name
}

// named returns a server's name with its key.
func named(s *connect.Server) string { return s.Addr().Name + " " + s.Addr().Index }

// basis returns what shows the direction of copying, and what speaks against declaring it.
func (x *importer) basis(g *group) (string, []string) {
	var doubts []string
	doubt := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	basis := ""
	switch here, there := x.mayReceive(g); {
	case x.told:
		basis = "That these are copies, and those the originals, was said when it was imported."
	case g.ahead > 0:
		basis = fmt.Sprintf("Copies are read-only, and of %d the source has revisions that the copy lacks.", g.ahead)
	case here && !there:
		basis = fmt.Sprintf("The histories are equal; the user of %s has the role %s on the category, and that of %s does "+
			"not have it where the originals are.", x.target.Address(), survey.RoleNames[0], g.source.Address())
	default:
		doubt("The histories are equal, and nothing shows which of the two has the originals. If it is %s, take the "+
			"comment signs away, or import with -from.", g.source.Address())
	}
	if others := x.alsoFrom(g); len(others) > 0 {
		doubt("They may come from %s as well, which has them too.", wording.List(others))
	}
	if !g.source.Has("user") {
		doubt("%s declares no user, and a remote resource configuration logs in with one.", g.source.Address())
	}
	if g.about.Major != "" && x.about.Major != "" && g.about.Major != x.about.Major {
		doubt("%s and %s are not of one major version, and synchronize nothing any more.", g.about.String(), x.about.String())
	}
	if g.source.SyncTLS != nil {
		doubt("%s declares sync_tls: once this is declared, a plan asks a person whether it connects encrypted.",
			g.source.Address())
	}
	if g.source.Addr().Module != "" || x.target.Addr().Module != "" {
		doubt("One of the servers is declared in a module: write this there, or pass the server out of it.")
	}
	return basis, doubts
}

// mayReceive reports for either end whether its declared user has the role that is needed for synchronizing into the
// category of the copies, or of the originals. What cannot be read is counted so that nothing is concluded.
func (x *importer) mayReceive(g *group) (here, there bool) {
	var at, from *survey.Role
	categories := map[string]bool{}
	for i := range g.copies {
		categories[g.there.Path(g.copies[i].Original.Category)] = true
	}
	if err := x.gather(func(v *survey.View) { at = v.RoleIn(x.target, x.here, x.here.Path(g.category)) }); err != nil {
		return false, true
	}
	here, there = at.Known && at.Held, false
	for path := range categories {
		err := x.gather(func(v *survey.View) { from = v.RoleIn(g.source, g.there, path) })
		there = there || err != nil || !from.Known || from.Held
	}
	return here, there
}

// upstream returns the declaration that brings these resources to their source. It returns nil if there is none or
// more than one.
func (x *importer) upstream(g *group) (*survey.Sync, error) {
	var found []*survey.Sync
	for _, s := range x.syncs {
		if s.IsRemoved() || !s.TargetServer().IsSame(g.source) {
			continue
		}
		names, err := x.selected(s)
		if err != nil {
			return nil, fmt.Errorf("what %s selects: %w", s.Address(), err)
		}
		if slices.ContainsFunc(g.copies, func(c survey.Shared) bool {
			_, ok := names[c.Copy.ID]
			return ok
		}) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return nil, nil
	}
	return found[0], nil
}

// whole returns the paths of those categories on the source of which a group contains all resources.
func (x *importer) whole(g *group) []string {
	copied := map[string]bool{}
	for i := range g.copies {
		copied[g.copies[i].Original.ID] = true
	}
	var out []string
	for i := range g.there.Categories {
		c := &g.there.Categories[i]
		members := slices.DeleteFunc(g.there.Members(c.ID), func(r *osmc.Resource) bool { return r.Removed })
		if len(members) > 0 && !slices.ContainsFunc(members, func(r *osmc.Resource) bool { return !copied[r.ID] }) &&
			!slices.ContainsFunc(c.Resources, func(id string) bool { return g.there.Resource(id) == nil }) {
			out = append(out, g.there.Path(c.ID))
		}
	}
	return out
}

// written returns how to declare a category: by its path, or by its ID if the path is not unique.
func (x *importer) written(category string) string {
	path := x.here.Path(category)
	same := 0
	for i := range x.here.Categories {
		if schema.SameName(x.here.Path(x.here.Categories[i].ID), path) {
			same++
		}
	}
	if same == 1 && isPath(path) && !survey.IsID(path) {
		return path
	}
	return category
}

// resourceWord returns how to declare a resource: by the path of its category and its name, or by its ID if these are
// not unique.
func resourceWord(inv *survey.Inventory, r *osmc.Resource) string {
	full := inv.FullName(r)
	if found := inv.Named(full); len(found) == 1 && found[0] == r && isPath(full) && !survey.IsID(full) {
		return full
	}
	return r.ID
}

// isPath reports whether a path can be written as it is. The names of categories may have slashes and spaces
// themselves.
func isPath(text string) bool {
	return !slices.ContainsFunc(strings.Split(text, "/"), func(w string) bool {
		return w == "" || strings.TrimSpace(w) != w
	})
}
