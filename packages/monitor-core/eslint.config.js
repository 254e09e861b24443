// The workspace's rules, and what keeps this package free of any framework.
import workspace from '../../eslint.config.js'
import { defineConfig } from 'eslint/config'

export default defineConfig(
  workspace,
  { ignores: ['*.config.js'] },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^[^.]', message: 'monitor-core depends on nothing' }] },
      ],
    },
  },
  {
    files: ['src/**/*.test.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
)
