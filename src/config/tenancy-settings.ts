import { z } from 'zod'
import { defineSettings, yesOrNo } from './setting.ts'

/** Settings of several organisations on one server. */
export const TENANCY_SETTINGS = defineSettings({
  MIMIR_ENABLE_MULTI_TENANCY: {
    about:
      'true: serve several tenants, each with a store and keys of its own; see docs/tenants.md',
    schema: yesOrNo.default(false),
  },
  MIMIR_TENANT_ID_SOURCE: {
    about: 'how the tenant of a request is found: host, header:NAME, jwt_claim:PATH or static:ID',
    schema: z.string().default('static:default'),
  },
  MIMIR_TENANT_ISOLATION: {
    about: 'strict, the only mode: the data of each tenant is in a store of its own',
    schema: z
      .literal('strict', {
        error:
          'only strict is accepted: in a shared store, only the care of each query would separate tenants',
      })
      .default('strict'),
  },
})
