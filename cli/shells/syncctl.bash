# completion of syncctl in bash                                -*- shell-script -*-
# It completes inside of quotes too, offers what the shell reads as it is meant, and runs nothing but syncctl.

# __syncctl_words splits a command line into words, as they are typed. It sets words, and open to the quote in which
# the line ends. It fails where a command would have to be run to know the words, after a redirection, in a comment, and
# where quotes may be read in another way than here: in $'...' and in all of ${...} but a name.
__syncctl_words() {
    local line=$1 i c last=0 plain='^\$(\{[[:alnum:]_]+\}|[^[({'\'']|$)'
    words=('') open=''
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1}
        if [[ $open == \' ]]; then
            [[ $c != \' ]] || open=''
        elif [[ $c == \\ ]]; then
            ((++i < ${#line})) || return 1
            c+=${line:i:1}
        elif [[ $c == \` || $c == '$' && ! ${line:i} =~ $plain || $c == '#' && -z $open${words[last]} ]]; then
            return 1
        elif [[ $open ]]; then
            [[ $c != \" ]] || open=''
        elif [[ $c == [\"\'] ]]; then
            open=$c
        elif [[ $c == [\;\&\|\<\>\(\)] ]]; then
            return 1
        elif [[ $c == [[:space:]] ]]; then
            [[ -z ${words[last]} ]] || words[++last]=''
            continue
        fi
        words[last]+=$c
    done
}

# __syncctl_ask asks the program what may stand for the last word. It sets typed to that word without its quotes, found
# to the answer with descriptions, and directive to what it says about it.
__syncctl_ask() {
    local out last=$((${#words[@]} - 1)) IFS=' '
    ((last > 0)) || return 1
    eval "typed=${words[last]}$open" 2>/dev/null || return 1
    out="SYNCCTL_COMPLETION_QUOTES=1 ${words[0]} __complete ${words[*]:1:last-1} \"\$typed\""
    out=$(set -f +B; eval "$out" 2>/dev/null)
    directive=${out##*:} out=${out%:*}
    [[ $directive =~ ^[0-9]+$ ]] && ((!(directive & 1))) || return 1
    IFS=$'\n' read -r -d '' -a found <<<"$out"
    return 0
}

# __syncctl_quote quotes the words in rests for the quote in which the line ends.
__syncctl_quote() {
    local c=\' in="'\\''"
    case $open in
    \') rests=("${rests[@]//$c/$in}") ;;
    \")
        for c in \\ \" '$' '`'; do
            rests=("${rests[@]//"$c"/\\$c}")
        done
        c='!' in="\"'!'\"" # the history is searched for it otherwise
        rests=("${rests[@]//$c/$in}")
        ;;
    *) IFS=$'\n' read -r -d '' -a rests < <(printf '%q\n' "${rests[@]}") ;;
    esac
}

# __syncctl_list fills COMPREPLY with what is shown of the words in kept: each with its description.
__syncctl_list() {
    local line name room longest=0 tab=$'\t'
    for line in "${kept[@]}"; do
        name=${line%%"$tab"*}
        ((${#name} <= longest)) || longest=${#name}
    done
    room=$((${COLUMNS:-80} - longest - 4))
    for line in "${kept[@]}"; do
        name=${line%%"$tab"*}
        if [[ $line == *"$tab"* ]] && ((room > 8)); then
            line=${line#*"$tab"}
            ((${#line} <= room)) || line=${line:0:room-1}…
            printf -v name '%s%*s  (%s)' "$name" $((longest - ${#name})) '' "$line"
        fi
        COMPREPLY+=("$name")
    done
}

# __syncctl_files completes files with one of the endings in found, and folders.
__syncctl_files() {
    local name ending
    compopt -o filenames 2>/dev/null
    while IFS='' read -r name; do
        for ending in "${found[@]}"; do
            [[ -d $name || $name == *".$ending" ]] && COMPREPLY+=("$name") && break
        done
    done < <(compgen -f -- "$1")
}

# __start_syncctl completes the word at the cursor, of which the shell replaces $2: what stands behind the last
# character that breaks words.
__start_syncctl() {
    local words open typed directive found before rest flag='' name i rests=() kept=() IFS=$' \t\n'
    COMPREPLY=()
    __syncctl_words "${COMP_LINE:0:COMP_POINT}" && __syncctl_ask || return
    name=${words[${#words[@]} - 1]}
    [[ $name == *"$2" ]] || return
    eval "before=${name:0:${#name}-${#2}}$open" 2>/dev/null
    rest=${typed#"$before"}
    if type compopt &>/dev/null; then # not in bash 3
        ((!(directive & 2))) || compopt -o nospace
        ((!(directive & 4))) || compopt +o default
        ((!(directive & 16))) || compopt -o dirnames +o default
    fi
    ((!(directive & 8))) || __syncctl_files "$rest"
    ((!(directive & 24))) || return
    [[ $typed != -*=* ]] || flag=${typed%%=*}=
    for i in "${!found[@]}"; do
        name=$flag${found[i]%%$'\t'*}
        if [[ $name == "$before"* ]]; then
            name=${name:${#before}}
            [[ ${name//\"/} == "${rest//\"/}"* ]] && rests+=("$name") && kept+=("${found[i]}")
        fi
    done
    ((${#kept[@]} > 0)) || return
    case ${COMP_TYPE-} in # none in bash 3
    63) ;; # the list alone, nothing is inserted
    33 | 64)
        name=${kept[*]%%$'\t'*}
        __syncctl_quote
        [[ ${rests[*]} == "$name" ]] && ((${#kept[@]} > 1)) || COMPREPLY=("${rests[@]}")
        ;;
    *)
        __syncctl_quote
        COMPREPLY=("${rests[@]}")
        ;;
    esac
    ((${#COMPREPLY[@]} > 0)) || __syncctl_list
}

complete -o default -F __start_syncctl syncctl
