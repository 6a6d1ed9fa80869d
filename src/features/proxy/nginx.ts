import type { Site } from './site.ts'

/** A whole site file. deploy/nginx has an example of its output. */
export function writeNginx(site: Site): string {
  const { publicUrl, host, upstream, prefix } = site
  return `${[
    `# nginx for Mimir at ${publicUrl}: /etc/nginx/sites-available/mimir`,
    '# Set MIMIR_PUBLIC_URL and MIMIR_TRUSTED_PROXIES=127.0.0.1,::1 in Mimir too.',
    '',
    'upstream mimir {',
    `    server ${upstream};`,
    '    keepalive 16;',
    '}',
    '',
    '# Upgrade WebSockets; keep all other connections to Mimir open.',
    'map $http_upgrade $mimir_connection {',
    '    default upgrade;',
    "    '' '';",
    '}',
    '',
    ...redirection(site),
    'server {',
    ...listening(site),
    `    server_name ${host};`,
    ...(site.secure ? ['', ...certificate(host)] : []),
    '',
    ...(prefix === ''
      ? []
      : [`    location = ${prefix} {`, `        return 308 ${prefix}/;`, '    }', '']),
    ...location(prefix),
    ...metadata(site),
    '}',
  ].join('\n')}\n`
}

function listening({ secure, port }: Site): string[] {
  const suffix = secure ? ' ssl' : ''
  return [`    listen ${port}${suffix};`, `    listen [::]:${port}${suffix};`]
}

/** From http to https, if both use their default ports. */
function redirection({ secure, port, host }: Site): string[] {
  if (!secure || port !== 443) return []
  return [
    'server {',
    '    listen 80;',
    '    listen [::]:80;',
    `    server_name ${host};`,
    ...unlogged('    '),
    '    return 308 https://$host$request_uri;',
    '}',
    '',
  ]
}

function certificate(host: string): string[] {
  return [
    `    ssl_certificate /etc/letsencrypt/live/${host}/fullchain.pem;`,
    `    ssl_certificate_key /etc/letsencrypt/live/${host}/privkey.pem;`,
  ]
}

function location(prefix: string): string[] {
  return [
    ...(prefix === '' ? [] : ['    # Keep the path: nothing follows the name of the upstream.']),
    `    location ${prefix}/ {`,
    '        proxy_pass http://mimir;',
    '        proxy_http_version 1.1;',
    '        proxy_set_header Host $host;',
    '        proxy_set_header Upgrade $http_upgrade;',
    '        proxy_set_header Connection $mimir_connection;',
    '        # Mimir reads it from the end and trusts only what trusted proxies wrote.',
    '        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    '',
    '        # Stream attachments; Mimir has its own limits.',
    '        client_max_body_size 0;',
    '        proxy_request_buffering off;',
    '        proxy_buffering off;',
    '',
    ...unlogged('        '),
    '    }',
  ]
}

function metadata({ wellKnown }: Site): string[] {
  if (wellKnown === undefined) return []
  return [
    '',
    '    # Where AI clients discover how to sign in: these addresses end with the path.',
    `    location ~ "${wellKnown}" {`,
    '        proxy_pass http://mimir;',
    '        proxy_http_version 1.1;',
    '        proxy_set_header Host $host;',
    "        proxy_set_header Connection '';",
    '        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    '    }',
  ]
}

function unlogged(indent: string): string[] {
  return [
    `${indent}# Some addresses contain access tokens and invitations, which must not be logged.`,
    `${indent}access_log off;`,
    `${indent}error_log /var/log/nginx/error.log crit;`,
  ]
}
