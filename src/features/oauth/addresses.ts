import type { Ctx } from '../../context.ts'

type Config = Pick<Ctx['config'], 'publicUrl'>

/** What the authorization server is called (RFC 8414 §2): the public address itself. */
export function issuerOf({ publicUrl }: Config): string {
  return publicUrl
}

/** The one thing that its tokens open (RFC 8707). */
export function resourceOf({ publicUrl }: Config): string {
  return `${publicUrl}/mcp`
}

/** Whether a resource that a client names is ours, however it spells the address. */
export function isOurResource(config: Config, named: string): boolean {
  return URL.parse(named)?.href === new URL(resourceOf(config)).href
}
