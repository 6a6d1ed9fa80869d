import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { preferredLanguage } from '../platform/language.ts'
import { stopwatch } from '../platform/metrics.ts'
import { limitKey } from '../platform/networks.ts'
import { type Actor, authorize, type Origin } from '../policy/actor.ts'
import { showsApiKey } from '../policy/credential.ts'
import { countFailure, passGate } from '../policy/gate.ts'
import type { Requirement } from '../policy/permissions.ts'
import { RateLimited, type RateStanding } from '../policy/rate-limit.ts'
import type { Peer } from '../runtime/runtime.ts'
import { clientAddress } from './client-address.ts'
import { Answer, type AnyRoute, isReading, operationOf, type Route } from './define-route.ts'
import { toResponse } from './on-error.ts'
import { refusalPage, wantsPage } from './refusal-page.ts'
import { withCommonHeaders } from './response-headers.ts'
import { inputOf } from './route-input.ts'

/** How long browsers remember that they may call. */
const PREFLIGHT_SECONDS = 600

export interface HttpOptions {
  readonly ctx: Ctx
  readonly routes: readonly AnyRoute[]
  /** The actor of an operation that needs no credential. */
  anonymous(origin: Origin): Actor
  /** Returns the owner of the request's credential; throws `unauthorized` without a valid one. */
  authenticate(request: Request, origin: Origin): Promise<Actor>
  /** Throws unless the caller re-authenticated recently; called for routes with `stepUp`. */
  requireFreshProof(actor: Actor, requirement: Requirement, addsFactor: boolean): Promise<void>
  /** Like `authenticate`, but returns `anonymous` without a valid credential. */
  identifyIfKnown(request: Request, origin: Origin): Promise<Actor>
  /**
   * Path of the sign-in page, if browsers without a credential are to be redirected there; always defined
   * for routes that are pages.
   */
  signInPage(isPage: boolean): string | undefined
  /** Checks every call after authentication, for example the client's version; throws to refuse it. */
  admit(
    request: Request,
    actor: Actor,
    route: AnyRoute,
    params: Readonly<Record<string, string>>,
  ): Promise<void>
  /** Called with every answer. */
  answered?(route: AnyRoute, answer: Answered): void
  /** Called with refusals of kind `forbidden`, for the audit. */
  recordRefusal(actor: Actor, error: AppError): Promise<void>
  /** Whether answers are validated against their schema too, so that a leaked column fails a test. */
  readonly checkAnswers: boolean
  /** Other protocols for use cases, each below its own path. */
  readonly mounts?: readonly Mount[]
}

/** Serves everything below a path in its own protocol; the server adds headers and drains it. */
export interface Mount {
  readonly path: `/${string}/`
  /** Name of the operation in logs and the audit, without ids. */
  operationOf(request: Request): string
  respond(request: Request, origin: Origin): Promise<Response>
}

export interface Answered {
  readonly status: number
  readonly seconds: number
}

export interface HttpServer {
  /** Resolves when no request is in progress, or after `timeoutMs`. */
  drained(timeoutMs: number): Promise<void>
  fetch(request: Request, peer: Peer): Promise<Response>
  originOf(request: Request, peer: Peer, operation: string): Origin
  /** The response to a request that reaches no route. */
  refuse(request: Request, error: unknown): Promise<Response>
}

export function createHttpServer(options: HttpOptions): HttpServer {
  const { ctx } = options
  const secure = ctx.config.publicUrl.startsWith('https:')
  const app = new Hono<{ Bindings: { peer: Peer } }>({ strict: true })

  const originOf = (request: Request, peer: Peer, operation: string): Origin => {
    const userAgent = request.headers.get('user-agent')
    return {
      requestId: ctx.ids.next(),
      ip: clientAddress(
        peer.address,
        request.headers.get('x-forwarded-for'),
        ctx.config.trustedProxies,
      ),
      ...(userAgent ? { userAgent: userAgent.slice(0, 256) } : {}),
      language: preferredLanguage(request.headers.get('accept-language')),
      operation,
    }
  }

  for (const route of options.routes) {
    if (route.kind === 'raw' && route.crossOrigin) {
      for (const path of pathsOf(route, ctx.config.pathPrefix)) {
        app.use(path, allowPagesOf(route.crossOrigin))
      }
    }
    app.on(route.method.toUpperCase(), pathsOf(route, ctx.config.pathPrefix), async (c) => {
      const origin = originOf(c.req.raw, c.env.peer, operationOf(route))
      return answer(route, c.req.raw, c.req.param() as Record<string, string>, origin)
    })
  }
  const withHeaders = (response: Response, requestId: string, standing?: RateStanding) => {
    if (!ctx.access.securityEnabled) response.headers.set('x-mimir-security', 'off')
    return withCommonHeaders(response, requestId, standing, secure)
  }
  for (const prefix of new Set(['', ctx.config.pathPrefix])) {
    for (const mount of options.mounts ?? []) {
      app.all(`${prefix}${mount.path}*`, async (c) => {
        const { raw } = c.req
        const origin = originOf(raw, c.env.peer, mount.operationOf(raw))
        return withHeaders(await mount.respond(raw, origin), origin.requestId)
      })
    }
  }
  const refuse = async (request: Request, error: unknown) => {
    const requestId = ctx.ids.next()
    let response = toResponse(error, requestId, ctx.log)
    if (wantsPage(request)) {
      const language = preferredLanguage(request.headers.get('accept-language'))
      response = await refusalPage(error, response, language)
    }
    return withHeaders(response, requestId)
  }
  app.notFound((c) => refuse(c.req.raw, new AppError(commonErrors.notFound)))
  app.onError((error, c) => refuse(c.req.raw, error))

  async function answer(
    route: AnyRoute,
    request: Request,
    params: Record<string, string>,
    origin: Origin,
  ): Promise<Response> {
    let actor: Actor | undefined
    let standing: RateStanding | undefined
    let response: Response
    const elapsed = stopwatch()
    try {
      // API keys are counted once they are authenticated; everyone else by address, before anything else.
      const hasKey = route.permission !== 'public' && showsApiKey(request)
      if (!hasKey) standing = await ctx.rateLimiter.consume(route.rate, limitKey(origin.ip))
      const known = await caller(route, request, origin, hasKey)
      actor = known
      await passGate(ctx.rateLimiter, {
        actor: known,
        rate: route.rate,
        countedBy: hasKey ? limitKey(origin.ip) : undefined,
        rights: () => authorize(known, route.permission, !isReading(route)),
        admission: () => options.admit(request, known, route, params),
        counted(now) {
          standing = now ?? standing
        },
      })
      if (route.stepUp) {
        await options.requireFreshProof(known, route.permission, route.stepUp === 'adds-factor')
      }
      response =
        route.kind === 'raw'
          ? await route.respond(ctx, known, { request, params })
          : await run(route, known, request, params)
    } catch (error) {
      if (error instanceof RateLimited) standing = error.standing
      if (error instanceof AppError && error.kind === 'forbidden' && actor) {
        await options.recordRefusal(actor, error)
      }
      const signIn = toSignIn(route, request, error)
      response = signIn ?? toResponse(error, origin.requestId, ctx.log, route.refusal === 'oauth')
      if (!signIn && route.refusal === 'page' && wantsPage(request)) {
        response = await refusalPage(error, response, origin.language ?? 'en')
      }
    }
    options.answered?.(route, { status: response.status, seconds: elapsed() })
    return withHeaders(response, origin.requestId, standing)
  }

  /** Redirects a browser navigation without a valid credential to the sign-in page. */
  function toSignIn(route: AnyRoute, request: Request, error: unknown): Response | undefined {
    // Public routes refuse for other reasons, which signing in again would not fix.
    if (route.permission === 'public') return undefined
    const isPage = route.kind === 'raw' && route.refusal === 'page'
    const page = options.signInPage(isPage)
    const isMissing = error instanceof AppError && error.kind === 'unauthenticated'
    if (page === undefined || !isMissing || !isNavigation(request)) return undefined
    const { pathPrefix } = ctx.config
    const { pathname, search } = new URL(request.url)
    const isWhole = pathPrefix === '' || `${pathname}/`.startsWith(`${pathPrefix}/`)
    const returnTo = encodeURIComponent((isWhole ? '' : pathPrefix) + pathname + search)
    const location = `${pathPrefix}${page}?return_to=${returnTo}`
    return new Response(null, { status: 302, headers: { location } })
  }

  async function caller(
    route: AnyRoute,
    request: Request,
    origin: Origin,
    hasKey: boolean,
  ): Promise<Actor> {
    switch (route.permission) {
      case 'public':
        return options.anonymous(origin)
      case 'anyone':
        return options.identifyIfKnown(request, origin)
    }
    const identify = () => options.authenticate(request, origin)
    return hasKey ? countFailure(ctx.rateLimiter, route.rate, origin, identify) : identify()
  }

  async function run(
    route: Route,
    actor: Actor,
    request: Request,
    params: Record<string, string>,
  ): Promise<Response> {
    const input = await inputOf(route, request, params)
    if (input === undefined) return new Response(null, { status: route.status })
    const result = await route.run(ctx, actor, input, request)
    if (result instanceof Response) return result
    const answer = result instanceof Answer ? result : new Answer(route.status, result ?? undefined)
    const { status } = answer
    if (options.checkAnswers) checkAnswer(route, status, answer.body)
    return answer.body === undefined
      ? new Response(null, { status })
      : Response.json(answer.body, { status })
  }

  let underWay = 0
  let wake: (() => void) | undefined

  return {
    async fetch(request, peer) {
      underWay++
      try {
        return await app.fetch(request, { peer })
      } finally {
        underWay--
        if (underWay === 0) wake?.()
      }
    },
    async drained(timeoutMs) {
      if (underWay === 0) return
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, timeoutMs).unref()
      })
    },
    originOf,
    refuse,
  }
}

/**
 * Answers the questions of browsers whether another origin's page may call (CORS protocol of the Fetch
 * standard). Credentials are not allowed, so a page gets no further than its own key or token does.
 */
function allowPagesOf(origins: '*' | readonly string[]) {
  return cors({
    origin: origins === '*' ? origins : [...origins],
    allowMethods: ['GET', 'POST'],
    exposeHeaders: ['www-authenticate', 'retry-after', 'x-request-id'],
    maxAge: PREFLIGHT_SECONDS,
  })
}

/** The paths of a route: some proxies strip the public path prefix, others keep it. */
function pathsOf({ path: template }: AnyRoute, prefix: string): string[] {
  const path = template.replace(/\{(\w+)\}/g, ':$1')
  if (prefix === '') return [path]
  const paths = [path, prefix + path]
  // People also type the public URL without its trailing slash.
  if (path === '/') paths.push(prefix)
  // In a well-known URI the prefix comes after the name (RFC 8414 §3.1, RFC 9728 §3.1).
  const [, name, rest] = /^(\/[.]well-known\/[^/]+)(.*)$/.exec(path) ?? []
  if (name !== undefined) paths.push(name + prefix + rest)
  return paths
}

/** Whether a browser navigates to the address (Fetch Metadata), as opposed to a script fetching it. */
function isNavigation(request: Request): boolean {
  const isNavigating = request.headers.get('sec-fetch-mode') === 'navigate'
  return request.method === 'GET' && isNavigating && wantsPage(request)
}

function checkAnswer(route: Route, status: number, body: unknown): void {
  const schema = route.answers[status]
  if (schema === undefined) throw new Error(`${operationOf(route)} has no answer ${status}`)
  if (schema === null) {
    if (body !== undefined) throw new Error(`${operationOf(route)} ${status} has no body`)
    return
  }
  const parsed = schema.safeParse(JSON.parse(JSON.stringify(body)))
  if (!parsed.success) throw new Error(`${operationOf(route)} ${status}: ${parsed.error.message}`)
}
