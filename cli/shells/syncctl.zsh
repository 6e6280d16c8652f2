#compdef syncctl
compdef _syncctl syncctl

# completion of syncctl in zsh                                 -*- shell-script -*-
# It completes inside of quotes too, and runs nothing but syncctl.

_syncctl() {
    local before="${(j: :)words[2,CURRENT-1]}" typed="${(Q)${:-$QIPREFIX$PREFIX$compstate[quote]}}"
    local line name directive tab=$'\t'
    local -a found shown space

    # Words before are as they are typed, such as "$HOME/fleet". Those for which a command would have to be run are not
    # completed.
    [[ "$words[1] $before" != *[\`\;\&\|\<\>\(\)$'\n']* ]] || return 1
    line="SYNCCTL_COMPLETION_QUOTES=1 $words[1] __complete $before \"\$typed\""
    found=("${(@f)$(setopt noglob; eval $line 2>/dev/null)}")
    directive=${found[-1]#:}
    [[ $directive == <-> ]] && ((!(directive & 1))) || return 1
    found[-1]=()
    compset -P 1 '-*=' # the flag of -flag=value
    if ((directive & 8)); then
        _files -g "*.(${(j:|:)found})"
        return
    fi
    if ((directive & 16)); then
        _files -/
        return
    fi
    for line in $found; do
        name=${${${line%%$tab*}//\\/\\\\}//:/\\:}
        [[ $line != *$tab* ]] || name+=:${line#*$tab}
        shown+=($name)
    done
    ((!(directive & 2))) || space=(-S '')
    _describe -t words word shown "${space[@]}" && return
    ((directive & 4)) || _files
}

# Nothing is completed while the file is sourced.
if [[ $funcstack[1] == _syncctl ]]; then
    _syncctl
fi
