import { defineErrors } from '../../platform/errors.ts'

export const proxyErrors = defineErrors({
  noPublicUrl: {
    code: 'public_url_not_set',
    kind: 'conflict',
    message: 'A proxy is for an address that people use: set MIMIR_PUBLIC_URL to it.',
  },
  noFixedPort: {
    code: 'no_fixed_port',
    kind: 'conflict',
    message: 'The server takes any free port: set MIMIR_LISTEN to a port that a proxy can name.',
  },
})
