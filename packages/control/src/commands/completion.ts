import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { commonOptions, knownCommands, type KnownCommand } from '../command-names.ts'
import type { Shell } from '../invocation.ts'
import { printLines, type CommandContext } from './context.ts'

/** `ipvs-ctl completion SHELL`: a script without any call of ours but for the names of services. */
export function runCompletion({ tools }: CommandContext, shell: Shell): ExitStatus {
  tools.stdout.write({ bash, zsh, fish }[shell]())
  return exitStatus.ok
}

/** `ipvs-ctl names`, for completion: the virtual servers, a line each. */
export async function runNames(context: CommandContext): Promise<ExitStatus> {
  const { virtualServers } = await context.client.status()
  printLines(
    context,
    virtualServers.map(({ name }) => name),
  )
  return exitStatus.ok
}

/** Names of virtual servers, by asking the director; nothing where none runs. */
const serviceNames = 'ipvs-ctl names 2>/dev/null'

/** What a first word can be, where that is known without asking. */
function fixedWords(word: KnownCommand['word']): string | undefined {
  if (word === 'shell') return 'bash zsh fish'
  if (word === 'prober') return 'restart'
  return word === 'state' ? 'up down' : undefined
}

function bash(): string {
  const cases = knownCommands.map(({ name, options, word }) => {
    const words = fixedWords(word) ?? ''
    const files = word === 'file' ? ' COMPREPLY+=($(compgen -f -- "$cur"));' : ''
    const services = word === 'service' ? ' _ipvs_ctl_services;' : ''
    return `    ${name}) words="${[...options, ...commonOptions].join(' ')} ${words}";${files}${services} ;;`
  })
  return `# bash completion for ipvs-ctl: source <(ipvs-ctl completion bash)
_ipvs_ctl_services() {
  local IFS=$'\\n' name
  [[ $cur == -* ]] && return
  for name in $(${serviceNames}); do
    [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
  done
}
_ipvs_ctl() {
  local cur prev words
  # Colons are part of our names: take the word as the user sees it.
  COMP_WORDBREAKS=\${COMP_WORDBREAKS//:}
  cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} COMPREPLY=()
  if [[ $prev == --socket ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${knownCommands.map(({ name }) => name).join(' ')} ${commonOptions.join(' ')}" -- "$cur"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}
complete -F _ipvs_ctl ipvs-ctl
`
}

function zsh(): string {
  const commands = knownCommands.map(({ name, doc }) => `    '${name}:${doc}'`)
  const cases = knownCommands.map(({ name, options, word }) => {
    const first =
      word === 'file'
        ? ` '1:file:_files'`
        : word === 'service'
          ? ` '1:service:_ipvs_ctl_services'`
          : fixedWords(word) === undefined
            ? ''
            : ` '1:${word}:(${fixedWords(word)})'`
    return `    ${name}) _arguments ${options.map((option) => `'${option}'`).join(' ')} '--socket:socket:_files' '--help'${first} ;;`
  })
  return `#compdef ipvs-ctl
# zsh completion for ipvs-ctl: source <(ipvs-ctl completion zsh)
_ipvs_ctl_services() {
  local -a names
  names=("\${(@f)$(${serviceNames})}")
  compadd -a names
}
_ipvs_ctl() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=\${words[2]}
  shift words; (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _ipvs_ctl ipvs-ctl
`
}

function fish(): string {
  const lines = knownCommands.flatMap(({ name, doc, options, word }) => {
    const when = `-n '__fish_seen_subcommand_from ${name}'`
    return [
      `complete -c ipvs-ctl -n __fish_use_subcommand -f -a ${name} -d '${doc}'`,
      ...options.map((option) => `complete -c ipvs-ctl ${when} -f -l ${option.slice(2)}`),
      ...(word === 'service' ? [`complete -c ipvs-ctl ${when} -f -a "(${serviceNames})"`] : []),
      ...(fixedWords(word) === undefined ? [] : [`complete -c ipvs-ctl ${when} -f -a '${fixedWords(word)}'`]),
      ...(word === 'file' ? [`complete -c ipvs-ctl ${when} -F`] : []),
    ]
  })
  return `# fish completion for ipvs-ctl: ipvs-ctl completion fish | source
complete -c ipvs-ctl -l socket -r -F
complete -c ipvs-ctl -l help
${lines.join('\n')}
`
}
