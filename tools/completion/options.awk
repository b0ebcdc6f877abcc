# The --help of a tool as a table for completion, fields between tabs: `option`, letter, long name, argument, choices
# separated by bars, text; or `command`, name, text.
function put() {
    if (name == "")
        return
    choices = ""
    if (match(text, /\([^ ;()|]+(\|[^ ;()|]+)+/))
        choices = substr(text, RSTART + 1, RLENGTH - 1)
    print "option\t" letter "\t" name "\t" arg "\t" choices "\t" text
    if (negated)
        print "option\t\t--no-" substr(name, 3) "\t\t\t" text
    name = ""
}
/^Commands:/ { commands = 1; next }
/^[^ ]/ { put(); commands = 0 }
commands && /^  [a-z]/ {
    text = $0
    sub(/^  [^ ]+ +/, "", text)
    print "command\t" $1 "\t" text
    next
}
/^  (-., |    )--/ {
    put()
    line = $0
    letter = substr(line, 3, 1) == "-" ? substr(line, 3, 2) : ""
    line = substr(line, 7)
    text = ""
    if (match(line, /  +/)) {
        text = substr(line, RSTART + RLENGTH)
        line = substr(line, 1, RSTART - 1)
    }
    negated = sub(/^--\[no-\]/, "--", line)
    name = arg = line
    sub(/ .*/, "", name)
    if (!sub(/^[^ ]+ /, "", arg))
        arg = ""
    next
}
name != "" && /^                           [^ ]/ {
    line = $0
    sub(/^ +/, "", line)
    text = text (text == "" ? "" : " ") line
    next
}
{ put() }
END { put() }
