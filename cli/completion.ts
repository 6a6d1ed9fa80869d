import { Argument, type Command } from 'commander'
import { withExamples } from './examples.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export function addCompletion(program: Command): void {
  const completion = program
    .command('completion')
    .description('print a shell completion script')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      const { readPlaces } = await import('./completion-places.ts')
      const { bash, fish, zsh } = await import('./completion-scripts.ts')
      process.stdout.write({ bash, zsh, fish }[shell](readPlaces(program)))
    })
  withExamples(
    completion,
    'mimir completion bash > /etc/bash_completion.d/mimir',
    'mimir completion zsh > ~/.zfunc/_mimir',
    'mimir completion fish > ~/.config/fish/completions/mimir.fish',
  )
}
