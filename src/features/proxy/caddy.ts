import type { Site } from './site.ts'

/** A block of a Caddyfile. Caddy sets X-Forwarded-For itself, and discards what clients send. */
export function writeCaddy({ publicUrl, prefix, wellKnown, upstream }: Site): string {
  const address = new URL(publicUrl).origin
  const proxy = (indent: string) => `${indent}reverse_proxy ${upstream}`
  return `${[
    `# Caddy for Mimir at ${publicUrl}: a block of /etc/caddy/Caddyfile`,
    '# Set MIMIR_PUBLIC_URL and MIMIR_TRUSTED_PROXIES=127.0.0.1,::1 in Mimir too.',
    `${address} {`,
    ...(prefix === ''
      ? [proxy('\t')]
      : [
          `\tredir ${prefix} ${prefix}/ 308`,
          `\t# Keep the path: handle, not handle_path.`,
          `\thandle ${prefix}/* {`,
          proxy('\t\t'),
          '\t}',
          '\t# Where AI clients discover how to sign in: these addresses end with the path.',
          `\t@metadata path_regexp ${wellKnown}`,
          '\thandle @metadata {',
          proxy('\t\t'),
          '\t}',
        ]),
    '}',
  ].join('\n')}\n`
}
