#!/bin/bash
# Completion in bash and zsh offers what --help says: commands, options, alternatives, and files.
. "$2/common.sh"
completion=$tools/completion
PATH=$tools:$PATH
# Shells run the tools some hundred times: no search for leaks at the end of each, which once stopped for good.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

of_help() { # --[no-]x is two options
    sed -nE 's/^  (-., |    )(--[^ ]*).*/\2/p' "$1" | sed -E 's/^--\[no-\](.*)/--\1\n--no-\1/' | sort -u
}
commands() {
    sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' "$1" | sort -u
}
# in_bash WORD...: what is offered for the last word
in_bash() {
    bash --norc -c 'compopt() { :; }; . "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _ecg_tools; printf "%s\n" "${COMPREPLY[@]}"' - "$completion/$1" "$@" | sed '/^$/d' | sort -u
}
# in_zsh WORD...: what _arguments and _describe would be told, for the last word
in_zsh() {
    zsh -f -c 'completion=$1; shift
        _arguments() { print -rl -- "$@" }
        _describe() { print -rl -- "${commands[@]}" }
        words=("$@") CURRENT=$# PREFIX=${@[-1]}
        . $completion' - "$completion/_ecg_tools" "$@"
}
zsh_options() { # the long ones of what _arguments was told
    sed -nE 's/^\*?(--[a-z0-9-]+)=?\[.*/\1/p' | sort -u
}
same() { # description; compares want and got
    if cmp -s want got; then ok; else
        bad "$1: --help (<) and completion (>) differ"
        diff want got
    fi
}

has_zsh=0
if command -v zsh >/dev/null; then has_zsh=1; else skip 'no zsh'; fi
touch 'a file.ecgm' other.txt
for path in "$tools"/ecg-*; do
    [ -x "$path" ] && [ ! -d "$path" ] || continue
    tool=${path##*/}
    check "$tool is completed in bash" test -f "$completion/$tool"
    check "$tool is completed in zsh" grep -qE "^#compdef .*\b$tool\b" "$completion/_ecg_tools"
    run "$tool" --help
    cp out help
    commands help >names
    if [ -s names ]; then
        in_bash "$tool" '' | grep -v '^--' >got
        cp names want
        same "$tool, commands in bash"
        if [ $has_zsh = 1 ]; then
            in_zsh "$tool" '' | sed 's/:.*//' | sort -u >got
            same "$tool, commands in zsh"
        fi
    else
        echo >names # no command: one pass with an empty one
    fi
    while read -r command; do
        words=("$tool")
        [ -z "$command" ] || words+=("$command")
        "${words[@]}" --help >help 2>err
        of_help help >want
        check "${words[*]} has options" test "$(wc -l <want)" -ge 3
        in_bash "${words[@]}" -- >got
        in_bash "${words[@]}" --no >no
        same "${words[*]}, options in bash"
        check "${words[*]}: --no offers those that begin so" test "$(grep -c -e '^--no' want)" -eq "$(wc -l <no)"
        if [ $has_zsh = 1 ]; then
            in_zsh "${words[@]}" -- >told
            zsh_options <told >got
            same "${words[*]}, options in zsh"
        fi
    done <names
done

# Alternatives, by space and by =, by the short name too; numbers have none, and files are offered by name.
printf '%s\n' adam adamw amsgrad >want
in_bash ecg-train --optimizer a >got
same '--optimizer a'
in_bash ecg-train --optimizer = a >got
same '--optimizer=a'
offered=$(in_bash ecg-train --output a)
check '-o is --output' test "$offered" = "$(in_bash ecg-train -o a)"
check 'files are offered for --output' test "$offered" = 'a file.ecgm'
check 'and for what is no option' grep -qx other.txt <(in_bash ecg-predict o)
check 'nothing is offered for a number' test -z "$(in_bash ecg-train --epochs '')"
check 'no option is offered behind --' test -z "$(in_bash ecg-train -- --e)"
if [ $has_zsh = 1 ]; then
    in_zsh ecg-train -- >told
    check 'zsh: alternatives' grep -qE '^\*--optimizer=\[.*\]:.*:\(adam amsgrad adamw sgd rmsprop\)$' told
    check 'zsh: files' grep -qE '^\*-o\[.*\]:MODEL:_files$' told
    check 'zsh: flags' grep -qE '^-q\[' told
fi
finish
