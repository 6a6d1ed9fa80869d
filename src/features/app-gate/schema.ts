import { z } from 'zod'

export const AppPlatform = z.enum(['android', 'ios'])
export type AppPlatform = z.output<typeof AppPlatform>

export const AppVersionQuery = z.object({
  platform: z.string().toLowerCase().pipe(AppPlatform).default('android'),
})
export type AppVersionQuery = z.output<typeof AppVersionQuery>

export const AppVersion = z.strictObject({
  minSupportedVersion: z.string().nullable(),
  latestVersion: z.string().nullable(),
  downloadUrl: z.string().nullable(),
  platform: AppPlatform,
})
export type AppVersion = z.output<typeof AppVersion>
