import type { z } from 'zod'
import type { commands } from './features.ts'

type Named<N extends CommandName> = Extract<(typeof commands)[number], { readonly name: N }>

/** The name of any command, like `user.approve`. */
export type CommandName = (typeof commands)[number]['name']

/** What the command of that name takes, before its schema adds defaults. */
export type CommandInput<N extends CommandName> = z.input<Named<N>['input']>

/** What the command of that name returns. */
export type CommandOutput<N extends CommandName> = Awaited<ReturnType<Named<N>['run']>>
