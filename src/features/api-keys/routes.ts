import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { accountErrors } from '../accounts/errors.ts'
import { keyErrors } from './errors.ts'
import { generateKey } from './generate.ts'
import { rotateKey } from './rotate.ts'
import {
  ApiKey,
  CreateKey,
  GeneratedKey,
  GenerateKey,
  KeyId,
  MadeKey,
  RotatedKey,
  RotateKey,
} from './schema.ts'
import { createKey, listKeys, revokeKey } from './service.ts'

const { scopesTooWide, notYours, tooLong, tooMany, ownerNotActive, notActive } = keyErrors

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/keys',
    summary: 'Create an API key; it is shown only once',
    permission: 'keys:write',
    rate: 'key-create',
    stepUp: true,
    body: CreateKey,
    status: 201,
    output: MadeKey,
    errors: [scopesTooWide, notYours, tooLong, tooMany, accountErrors.notService, ownerNotActive],
    run: createKey,
  }),
  defineRoute({
    method: 'post',
    path: '/api/keys/generate',
    summary: 'Create an API key, in the form of earlier systems',
    permission: 'keys:write',
    rate: 'key-create',
    stepUp: true,
    body: GenerateKey,
    status: 201,
    output: GeneratedKey,
    errors: [scopesTooWide, notYours, tooLong, tooMany, ownerNotActive],
    run: generateKey,
  }),
  defineRoute({
    method: 'get',
    path: '/api/keys',
    summary: 'Your API keys; for an administrator, everyone’s',
    permission: 'keys:read',
    rate: 'unlimited',
    status: 200,
    output: z.array(ApiKey),
    run: listKeys,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/keys/{id}',
    summary: 'Revoke an API key; connections it opened end at once',
    permission: 'keys:write',
    rate: 'unlimited',
    params: KeyId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, notActive],
    run: async (ctx, actor, input) => void (await revokeKey(ctx, actor, input)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/keys/{id}/rotate',
    summary: 'Rotate an API key; the old one keeps working for a while',
    permission: 'keys:write',
    rate: 'key-create',
    stepUp: true,
    params: KeyId,
    body: RotateKey,
    status: 201,
    output: RotatedKey,
    errors: [commonErrors.notFound, notActive, notYours, scopesTooWide, tooMany, ownerNotActive],
    run: rotateKey,
  }),
]
