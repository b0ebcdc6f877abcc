#!/bin/bash
# Man pages: every option and command of --help stands in the page, and nothing else; pages render without a warning; the
# overviews name every tool and every header.
. "$2/common.sh"
root=$(cd "$source/../.." && pwd)
man=$root/tools/man

# Long options of a --help, --[no-]x as --x; and those a page has items for.
of_help() {
    sed -nE 's/^  (-., |    )(--[^ ]*).*/\2/p' "$1" | sed 's/--\[no-\]/--/'
}
switches() {
    sed -nE 's/^  (-., |    )--\[no-\]([^ ]*).*/s\/^--no-\2$\/--\2\//p' "$1"
}
of_page() {
    sed -nE 's/\\-/-/g; s/^\.It (Fl . , )?Fl Fl ([a-z0-9-]+).*/--\2/p' "$@"
}
commands() {
    sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' "$1"
}

for path in "$tools"/ecg-*; do
    [ -x "$path" ] && [ ! -d "$path" ] || continue
    tool=${path##*/} page=$man/${path##*/}.1
    check "$tool has a man page" test -f "$page"
    [ -f "$page" ] || continue
    run "$tool" --help
    wants 0 '' "$tool --help"
    commands out >names
    of_help out >in-help
    switches out >switches
    while read -r command; do
        run "$tool" "$command" --help
        wants 0 '' "$tool $command --help"
        of_help out >>in-help
        switches out >>switches
        check "$tool.1 has the command $command" grep -qE "^\.Cm $command( |\$)" "$page"
    done <names
    sort -u in-help >want
    # A tool may take all options of another, and say so.
    other=$(sed -n '/takes the options of$/{n;s/^\.Xr \([a-z-]*\) 1.*/\1/p;}' "$page")
    # A page may name the other half of --[no-]x.
    of_page "$page" "$man/${other:-$tool}.1" | sed -E -f switches | sort -u >got
    check "$tool has options" test "$(wc -l <want)" -ge 3
    if cmp -s want got; then
        ok
    else
        bad "$tool: options of --help (<) and of the man page (>) differ"
        diff want got
    fi
    check "ecgcnn.7 names $tool" grep -q "^.It Xr $tool 1" "$man/ecgcnn.7"
done

for header in "$root"/include/ecgcnn/*.h; do
    name=$(basename "$header")
    case $name in ecgcnn.h | export.h | types.h) continue ;; esac
    check "libecgcnn.3 names $name" grep -q "^.It In ecgcnn/$name" "$man/libecgcnn.3"
done

# What the pages call exists: a name of a header, or a page.
sed -n 's/^\.Fn \([a-z_0-9]*\).*/\1/p' "$man"/*.3 | sort -u | while read -r name; do
    grep -qw "$name" "$root"/include/ecgcnn/*.h || echo "$name"
done >unknown
check "functions in libecgcnn.3 exist: $(cat unknown)" test ! -s unknown

for page in "$man"/*.[1-9]; do
    name=$(basename "$page")
    check "$name has the notice" grep -q '^Not a medical device: not for diagnosis or treatment\.' "$page"
    if command -v groff >/dev/null; then
        groff -ww -mandoc -Tutf8 -z -rLL=100n "$page" >out 2>err
        check "$name renders without a warning: $(head -n 1 err)" test ! -s err
    else
        skip 'no groff'
    fi
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$page" >out 2>err
        check "mandoc has nothing to say of $name: $(head -n 1 out)" test ! -s out
    else
        skip 'no mandoc'
    fi
done
finish
