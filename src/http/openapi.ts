import { z } from 'zod'
import type { ZodOpenApiObject, ZodOpenApiOperationObject } from 'zod-openapi'
import { commonErrors, type ErrorDefinition } from '../platform/errors.ts'
import { VERSION } from '../platform/version.ts'
import { accessErrors, usesAccessCodes } from '../policy/errors.ts'
import { type AnyRoute, operationOf, type Route } from './define-route.ts'
import { statusOf } from './on-error.ts'

/**
 * Builds the OpenAPI 3.1 document from the schemas that validate the routes. `admission` returns the errors
 * that may refuse a signed-in caller on a path before its route runs. Routes refer to the `schemas` by
 * their names.
 */
export async function openApiDocument(
  routes: readonly AnyRoute[],
  publicUrl: string,
  admission: (path: string) => readonly ErrorDefinition[],
  schemas: Readonly<Record<string, z.ZodType>>,
): Promise<object> {
  // Rarely needed, so not loaded at startup.
  const { createDocument } = await import('zod-openapi')
  const paths: NonNullable<ZodOpenApiObject['paths']> = {}
  for (const route of routes) {
    if (route.kind !== 'json') continue
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route, admission) }
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Mimir', version: VERSION },
    servers: [{ url: publicUrl }],
    components: {
      schemas: { ...schemas },
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
    paths,
  })
}

/** The refusals that `stepUp` adds. A slice throws them, so they are described here again. */
const STEP_UP: readonly ErrorDefinition[] = [
  {
    code: 'step_up_required',
    kind: 'unauthenticated',
    message: 'Confirm your identity again before you do this.',
  },
  {
    code: 'factor_needed',
    kind: 'forbidden',
    message: 'Your provider does not say when it last verified you: set up a second factor first.',
  },
]

/** A body of any type, which OpenAPI 3.1 expresses by omitting the schema. */
const BYTES = { '*/*': {} }

function operation(
  route: Route,
  admission: (path: string) => readonly ErrorDefinition[],
): ZodOpenApiOperationObject {
  const responses: Record<string, object> = {}
  const refusals = refusalsOf(route)
  if (isClosed(route)) refusals.push(...admission(route.path))
  for (const [status, schema] of Object.entries(route.answers)) {
    responses[status] = schema
      ? {
          description: 'Done',
          content: { 'application/json': { schema }, ...linesOf(route, status) },
        }
      : { description: 'Done', ...(route.bytes === 'response' ? { content: BYTES } : {}) }
  }
  for (const [status, errors] of groupByStatus(refusals)) {
    responses[status] = {
      description: errors.map((error) => `\`${error.code}\`: ${error.message}`).join('\n\n'),
      content: { 'application/json': { schema: errorSchema(errors) } },
    }
  }
  return {
    summary: route.summary,
    tags: [areaOf(route.path)],
    ...(isClosed(route) ? { security: [{ accessToken: [] }, { apiKey: [] }] } : {}),
    requestParams: {
      ...(route.params ? { path: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
    },
    ...(route.body
      ? { requestBody: { content: { 'application/json': { schema: route.body } } } }
      : {}),
    ...(route.bytes === 'request' ? { requestBody: { content: BYTES } } : {}),
    responses,
  } as ZodOpenApiOperationObject
}

/** Groups the operations: `messages` for `/api/messages/{id}`, `auth` for `/auth/status`. */
function areaOf(path: string): string {
  const [first = '', second = ''] = path.slice(1).split('/')
  return first === 'api' ? second : first
}

function linesOf({ lines, status: usual }: Route, status: string): object {
  return lines && status === String(usual) ? { 'application/x-ndjson': { schema: lines } } : {}
}

/** The route's own refusals and those that follow from its declaration. */
function refusalsOf(route: Route): ErrorDefinition[] {
  const refusals = [...route.errors]
  if (route.body) refusals.push(commonErrors.payloadTooLarge)
  if (route.body && !route.alwaysDone) refusals.push(commonErrors.invalidJson)
  const hasRules = (route.body && !route.alwaysDone) || route.query || route.params
  if (hasRules) refusals.push(commonErrors.validationFailed)
  if (route.stepUp) refusals.push(...STEP_UP)
  if (isClosed(route)) refusals.push(...withoutGoodCredential(route))
  if (isClosed(route) && route.permission !== 'signed-in') {
    const isOwn = usesAccessCodes(operationOf(route))
    refusals.push(...(isOwn ? [] : [commonErrors.forbidden]), accessErrors.insufficientPermission)
  }
  if (route.rate !== 'unlimited') refusals.push(commonErrors.rateLimited)
  return refusals
}

function isClosed({ permission }: Route): boolean {
  return permission !== 'public' && permission !== 'anyone'
}

function withoutGoodCredential(route: Route): ErrorDefinition[] {
  const { unauthenticated, invalidToken, tokenExpired, methodNotAllowed } = accessErrors
  const none = usesAccessCodes(operationOf(route)) ? unauthenticated : commonErrors.unauthorized
  return [none, invalidToken, tokenExpired, methodNotAllowed]
}

function groupByStatus(errors: readonly ErrorDefinition[]): Map<string, ErrorDefinition[]> {
  const groups = new Map<string, ErrorDefinition[]>()
  for (const error of errors) {
    const status = String(statusOf(error.kind))
    const group = groups.get(status) ?? []
    if (!group.some((other) => other.code === error.code)) group.push(error)
    groups.set(status, group)
  }
  return groups
}

function errorSchema(errors: readonly ErrorDefinition[]) {
  const codes = errors.map((error) => error.code) as [string, ...string[]]
  const namesFields = codes.includes(commonErrors.validationFailed.code)
  return z.looseObject({
    error: z.enum(codes),
    message: z.string(),
    requestId: z.string(),
    // What is wrong with each field, for `validation_failed`.
    ...(namesFields ? { fields: z.record(z.string(), z.string()).optional() } : {}),
  })
}
