# Completion of proxyxai for fish.

set -l commands serve check keys backup restore rekey health config reconcile help version
set -l none "not __fish_seen_subcommand_from $commands"

complete -c proxyxai -f
complete -c proxyxai -l config -r -F -d 'settings in JSON'
complete -c proxyxai -l help -s h -d 'what it can do'
complete -c proxyxai -l version -d 'the version'

complete -c proxyxai -n $none -a serve -d 'serve clients'
complete -c proxyxai -n $none -a check -d 'check the database'
complete -c proxyxai -n $none -a keys -d 'store or forget upstream keys'
complete -c proxyxai -n $none -a backup -d 'write a consistent copy of the database'
complete -c proxyxai -n $none -a restore -d 'put a backup in the place of the database'
complete -c proxyxai -n $none -a rekey -d 'seal all stored secrets anew'
complete -c proxyxai -n $none -a health -d 'ask the daemon whether it is ready'
complete -c proxyxai -n $none -a config -d 'show the settings in force'
complete -c proxyxai -n $none -a reconcile -d 'hold what a key was used for against the usage API'
complete -c proxyxai -n $none -a help -d 'what it can do'
complete -c proxyxai -n $none -a version -d 'the version'

complete -c proxyxai -n '__fish_seen_subcommand_from keys; and not __fish_seen_subcommand_from add delete' -a add -d 'store keys, one a line'
complete -c proxyxai -n '__fish_seen_subcommand_from keys; and not __fish_seen_subcommand_from add delete' -a delete -d 'forget a key'
complete -c proxyxai -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from add' -F
complete -c proxyxai -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from delete' -a unreadable -d 'those that do not open'
complete -c proxyxai -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from delete' -a all -d 'every one'
complete -c proxyxai -n '__fish_seen_subcommand_from backup restore' -F

complete -c proxyxai -n '__fish_seen_subcommand_from reconcile' -l key -x -d 'the upstream key'
complete -c proxyxai -n '__fish_seen_subcommand_from reconcile' -l since -x -d 'the first day'
complete -c proxyxai -n '__fish_seen_subcommand_from reconcile' -l until -x -d 'the last day'
complete -c proxyxai -n '__fish_seen_subcommand_from reconcile' -l upstream-key-id -x -d "OpenAI's id of the key"
complete -c proxyxai -n '__fish_seen_subcommand_from reconcile' -l project -x -d "the key's project"
complete -c proxyxai -n '__fish_seen_subcommand_from reconcile' -l tolerance -x -d 'how much the two may differ'
