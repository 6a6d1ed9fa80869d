import type { z } from 'zod'
import type { Ctx } from '../context.ts'
import type { ErrorDefinition } from '../platform/errors.ts'
import type { Actor } from '../policy/actor.ts'
import type { OperationClass } from '../policy/admission.ts'
import type { Requirement } from '../policy/permissions.ts'
import type { RateClass } from '../policy/rate-classes.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

type ObjectSchema = z.ZodObject | undefined
type Output<T> = T extends z.ZodType ? z.output<T> : object
// biome-ignore lint/suspicious/noConfusingVoidType: the return type of a use case without an answer.
type Body<O> = O extends z.ZodType ? z.input<O> : void

/** A declared answer other than the usual one. */
export class Answer {
  readonly status: number
  readonly body: unknown
  constructor(status: number, body?: unknown) {
    this.status = status
    this.body = body
  }
}

/** `adds-factor`: the route adds a factor, which callers who cannot re-authenticate may do after sign-in. */
type StepUp = true | 'adds-factor'

/** What every route declares. */
interface Declaration {
  readonly method: Method
  /** Path with `{name}` for parameters, as OpenAPI writes it. */
  readonly path: `/${string}`
  readonly summary: string
  readonly permission: Requirement
  readonly rate: RateClass
  /** Requires a recent re-authentication: for operations that cannot be undone. */
  readonly stepUp?: StepUp
  /** Whether it changes something. By default GET reads and all other methods change. */
  readonly changes?: boolean
  /** Set where the route is open or closed apart from others during a closure. */
  readonly operationClass?: OperationClass
  /** `page`: browsers get refusals as a page. `oauth`: with the `error_description` of RFC 6749 §5.2. */
  readonly refusal?: 'page' | 'oauth'
}

/** What a route with JSON declares besides. */
interface JsonDeclaration<
  P extends ObjectSchema = ObjectSchema,
  Q extends ObjectSchema = ObjectSchema,
  B extends ObjectSchema = ObjectSchema,
> extends Declaration {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /**
   * Which body is bytes instead of JSON: `run` reads the `request` itself, or returns a `Response` with
   * one of the declared statuses.
   */
  readonly bytes?: 'request' | 'response'
  /**
   * Checks a body that is an object before its schema does, where the contract fixes which of several
   * refusals comes first.
   */
  readonly judgeFirst?: (body: Readonly<Record<string, unknown>>) => void
  /** Sends the usual answer, without calling `run`, for a body that is not JSON or breaks its schema. */
  readonly alwaysDone?: true
  /** The status of the usual answer. */
  readonly status: number
  /**
   * Schema of one line of the usual answer where the caller accepts `application/x-ndjson`; `run` returns
   * the lines as a `Response`.
   */
  readonly lines?: z.ZodType
}

export interface RouteSpec<
  P extends ObjectSchema,
  Q extends ObjectSchema,
  B extends ObjectSchema,
  O extends z.ZodType | null,
> extends JsonDeclaration<P, Q, B> {
  /** The schema of the usual answer's body, or null for none. */
  readonly output: O
  /** Other successful answers by status; `run` returns them as an `Answer`. */
  readonly also?: Readonly<Record<number, z.ZodType | null>>
  /** Refusals specific to this route; those common to all routes are added. */
  readonly errors?: readonly ErrorDefinition[]
  /** The use case. Its input holds body, query and path parameters in one object; the path wins. */
  run(
    ctx: Ctx,
    actor: Actor,
    input: Output<B> & Output<Q> & Output<P>,
    request: Request,
  ): Promise<Body<O> | Answer | Response>
}

/** A route as the server and the OpenAPI document see it. */
export interface Route extends JsonDeclaration {
  readonly kind: 'json'
  /** Every successful answer by status. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  readonly errors: readonly ErrorDefinition[]
  run(ctx: Ctx, actor: Actor, input: object, request: Request): Promise<unknown>
}

/** What a raw route receives besides the actor. */
export interface RawRequest {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
}

/** A route that reads the request and writes the response itself: for pages and documents. */
export interface RawRoute extends Declaration {
  readonly kind: 'raw'
  /** Which other origins' pages may call the path by a script, without cookies; absent: none. */
  readonly crossOrigin?: '*' | readonly string[]
  respond(ctx: Ctx, actor: Actor, raw: RawRequest): Promise<Response>
}

export type AnyRoute = Route | RawRoute

/** Binds a path to a use case. Permission and rate class have no default: both must be decided. */
export function defineRoute<
  O extends z.ZodType | null,
  P extends ObjectSchema = undefined,
  Q extends ObjectSchema = undefined,
  B extends ObjectSchema = undefined,
>(spec: RouteSpec<P, Q, B, O>): Route {
  const { output, also, errors = [], run, ...declaration } = spec
  return {
    ...declaration,
    kind: 'json',
    answers: { [spec.status]: output, ...also },
    errors,
    run,
  }
}

export function defineRawRoute(spec: Omit<RawRoute, 'kind'>): RawRoute {
  return { kind: 'raw', ...spec }
}

/** `POST /api/friends/{userId}`: how logs and the audit name a route, without ids. */
export function operationOf(route: AnyRoute): string {
  return `${route.method.toUpperCase()} ${route.path}`
}

/** Whether a call of the route changes nothing. */
export function isReading({ method, changes }: AnyRoute): boolean {
  return !(changes ?? method !== 'get')
}
