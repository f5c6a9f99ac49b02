# Completion of proxyxai for bash.
# shellcheck disable=SC2207 # Words are split on purpose, files by lines.

_proxyxai() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} word i words=()
  COMPREPLY=()
  # --config=FILE comes as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  # The command's words so far: neither options nor their values.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --config | --key | --since | --until | --upstream-key-id | --project | --tolerance)
        i=$((i + 1))
        [[ ${COMP_WORDS[i]} != = ]] || i=$((i + 1))
        ;;
      -?*) ;;
      *) words+=("$word") ;;
    esac
  done

  case $before in
    --config) _proxyxai_files "$current"; return ;;
    --key | --since | --until | --upstream-key-id | --project | --tolerance) return ;;
  esac
  local options="--config --help --version"
  [[ ${words[0]} != reconcile ]] || options+=" --key --since --until --upstream-key-id --project --tolerance"
  if [[ $current == -* && $current != - ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
    return
  fi
  case "${words[*]}" in
    "") COMPREPLY=($(compgen -W "serve check keys backup restore rekey health config reconcile help version" -- "$current")) ;;
    keys) COMPREPLY=($(compgen -W "add delete" -- "$current")) ;;
    "keys delete") COMPREPLY=($(compgen -W "unreadable all" -- "$current")) ;;
    "keys add" | backup | restore) _proxyxai_files "$current" ;;
    reconcile) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
  esac
}

_proxyxai_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$1"))
}

complete -F _proxyxai proxyxai
