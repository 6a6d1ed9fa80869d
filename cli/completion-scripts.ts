import { optionsWithChoices, type Place, type Word } from './completion-places.ts'
import { shellQuote } from './shell-quote.ts'

// The three scripts work alike: they walk the words before the cursor to find the place, and offer
// its completions.

export function bash(places: readonly Place[]): string {
  const choices = optionsWithChoices(places).map(({ text, choices }) => {
    return `${text}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`
  })
  const words = places.map((place) => `'${place.path}') words='${texts(place.words)}' ;;`)
  return `# bash completion for mimir
_mimir() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} at= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in
      ${paths(places).join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$before" in
    --data-dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --config) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${choices.join('\n    ')}
  esac
  case "$at" in
    ${words.join('\n    ')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _mimir mimir
`
}

export function zsh(places: readonly Place[]): string {
  const choices = optionsWithChoices(places).map(({ text, choices }) => {
    return `(${text}) compadd -- ${choices.join(' ')}; return ;;`
  })
  const words = places.map(({ path, words }) => {
    const entries = words.map(({ text, about }) =>
      shellQuote(`${text}:${about.replaceAll(':', '\\:')}`),
    )
    return `('${path}') found=(${entries.join(' ')}) ;;`
  })
  return `#compdef mimir
_mimir() {
  local at= word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      (${paths(places).join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
    (--data-dir) _files -/; return ;;
    (--config) _files; return ;;
    ${choices.join('\n    ')}
  esac
  case "$at" in
    ${words.join('\n    ')}
  esac
  _describe mimir found
}
if [ "$funcstack[1]" = _mimir ]; then _mimir "$@"; else compdef _mimir mimir; fi
`
}

export function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) =>
    words.map((word) => {
      const about = shellQuote(word.about)
      return `complete -c mimir -n '__mimir_at "${path}"' ${fishWord(word)} -d ${about}`
    }),
  )
  return `# fish completion for mimir
function __mimir_at
  set -l at ''
  for word in (commandline -opc)[2..]
    switch (string trim "$at $word")
      case ${paths(places).join(' ')}
        set at (string trim "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
complete -c mimir -f
${lines.join('\n')}
`
}

function fishWord({ text, choices }: Word): string {
  if (!text.startsWith('--')) return `-a ${text}`
  const name = `-l ${text.slice(2)}`
  if (text === '--data-dir') return `${name} -x -a '(__fish_complete_directories)'`
  if (text === '--config') return `${name} -r -F`
  return choices.length > 0 ? `${name} -x -a '${choices.join(' ')}'` : name
}

function paths(places: readonly Place[]): string[] {
  return places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
}

function texts(words: readonly Word[]): string {
  return words.map(({ text }) => text).join(' ')
}
