import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { AppError, defineErrors } from '../../platform/errors.ts'

const userErrors = defineErrors({
  // The code names the decision record of the earlier system that old clients know it by.
  endpointRemoved: {
    code: 'endpoint_removed_adr_016',
    kind: 'gone',
    message: 'There is no user directory: people exchange friend keys.',
  },
})

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/users/active',
    summary: 'Gone: there is no user directory, on purpose',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 410,
    output: z.never(),
    errors: [userErrors.endpointRemoved],
    run: async () => {
      throw new AppError(userErrors.endpointRemoved)
    },
  }),
]
