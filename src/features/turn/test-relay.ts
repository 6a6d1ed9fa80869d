import type { Ctx } from '../../context.ts'
import { askServer, type StunFailure, type StunQuestion } from '../../outbound/turn-client.ts'
import { AppError } from '../../platform/errors.ts'
import { makeTurnCredentials } from './credentials.ts'
import { turnErrors } from './errors.ts'
import type { TurnTest } from './schema.ts'

/** The user of the test credentials, which no account has. */
const TESTER = 'mimir-turn-test'

const TEXT: Record<StunFailure, { says: string; mend: string }> = {
  name_not_resolved: {
    says: 'the name does not resolve',
    mend: 'set TURN_HOST to a name that the DNS knows',
  },
  unreachable: {
    says: 'nothing answers there',
    mend: 'start coturn, and open the port in the firewall',
  },
  tls_failed: {
    says: 'its certificate is not valid for this name',
    mend: 'set cert and pkey in turnserver.conf, or TURN_TLS_PORT=0 for a relay without TLS',
  },
  not_turn: {
    says: 'what answers there is not a TURN server',
    mend: 'compare TURN_PORT and TURN_TLS_PORT with turnserver.conf',
  },
  unauthorized: {
    says: 'the credentials are refused',
    mend: 'give coturn the output of `mimir turn config` and restart it; compare the clocks',
  },
  open_to_all: {
    says: 'it relays for anyone, without credentials',
    mend: 'give coturn the output of `mimir turn config` and restart it',
  },
  refused: {
    says: 'the allocation is refused',
    mend: 'look into the log of coturn: its quotas or its relay addresses',
  },
}

/** Tries each URL that users get with their credentials, from this machine. */
export async function testTurn(
  ctx: Pick<Ctx, 'config' | 'keyring' | 'clock'>,
): Promise<TurnTest[]> {
  if (ctx.config.turn.host === undefined) throw new AppError(turnErrors.notConfigured)
  if (!ctx.keyring.has('turn')) throw new AppError(turnErrors.noSecret)
  const { urls, ...credentials } = makeTurnCredentials(ctx, TESTER)
  const host = ctx.config.turn.host
  return Promise.all(
    urls.map(async (url) => {
      const answer = await askServer(questionOf(url, host, credentials))
      const address = answer.address ?? null
      if (answer.ok) {
        const { seenAs, relay = null } = answer
        return { url, ok: true, address, seenAs, relay, failure: null, detail: null, mend: null }
      }
      const { failure, detail: said } = answer
      const { says, mend } = TEXT[failure]
      const detail = `${says} (${said})`
      return { url, ok: false, address, seenAs: null, relay: null, failure, detail, mend }
    }),
  )
}

/** The parts of a URL that `makeTurnCredentials` wrote. */
function questionOf(
  url: string,
  host: string,
  credentials: Required<StunQuestion>['credentials'],
): StunQuestion {
  const [, scheme, port, protocol] = /^(\w+):.+:(\d+)(?:\?transport=(\w+))?$/.exec(url) ?? []
  const place = { host, port: Number(port) }
  if (scheme === 'stun') return { ...place, transport: 'udp' }
  const transport = scheme === 'turns' ? 'tls' : protocol === 'udp' ? 'udp' : 'tcp'
  return { ...place, transport, credentials }
}
