# Completion for bash, of @ECG_TOOL_NAMES@. The tools are asked: what is offered is what
# their --help says.

_ecg_tools_table() {
    "$@" --help 2>/dev/null | awk '
@ECG_OPTIONS_AWK@'
}

_ecg_tools() {
    local tool=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} option= i kind letter name arg choices text
    local -a asked=("$tool") words=()
    COMPREPLY=()
    # bash takes --name=value apart: "--name" "=" "value".
    if [ "$cur" = = ]; then
        cur= option=${COMP_WORDS[COMP_CWORD - 1]}
    elif [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ] && [ "$COMP_CWORD" -ge 2 ]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [ "$COMP_CWORD" -ge 2 ]; then
        option=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [ "${COMP_WORDS[i]}" = -- ]; then # no options from here on
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
        fi
    done

    while IFS=$'\x1f' read -r kind letter name arg choices text; do
        [ "$kind" = command ] && words+=("$letter")
    done < <(_ecg_tools_table "$tool" | tr '\t' '\037')
    if [ ${#words[@]} -gt 0 ]; then
        if [ "$COMP_CWORD" -eq 1 ]; then
            mapfile -t COMPREPLY < <(compgen -W "${words[*]} --help --version" -- "$cur")
            return
        fi
        asked+=("${COMP_WORDS[1]}")
        words=()
    fi

    local of= alternatives=
    while IFS=$'\x1f' read -r kind letter name arg choices text; do
        [ "$kind" = option ] || continue
        words+=("$name")
        if [ -n "$arg" ] && { [ "$option" = "$name" ] || { [ -n "$letter" ] && [ "$option" = "$letter" ]; }; }; then
            of=$arg alternatives=$choices
        fi
    done < <(_ecg_tools_table "${asked[@]}" | tr '\t' '\037')
    if [ -n "$alternatives" ]; then
        mapfile -t COMPREPLY < <(compgen -W "${alternatives//|/ }" -- "$cur")
    elif [ -z "$of" ] && [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$cur")
    elif ! [[ $of =~ ^(N|F|S|P|HxW|BPM)$ ]]; then # what is no number is a file, or may be
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -F _ecg_tools @ECG_TOOL_NAMES@
