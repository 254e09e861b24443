// Lint rules of every package of the npm workspace. Formatting is prettier's, so no rule here is about it.
import js from '@eslint/js'
import prettier from 'eslint-config-prettier/flat'
import vue from 'eslint-plugin-vue'
import { defineConfig } from 'eslint/config'
import typescript from 'typescript-eslint'

export default defineConfig(
  { ignores: ['**/dist/', '**/coverage/', '**/test-results/', '**/playwright-report/', 'services/'] },
  js.configs.recommended,
  typescript.configs.recommendedTypeChecked,
  vue.configs['flat/recommended'],
  {
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A library and an app for a workshop have nobody who reads the console.
      'no-console': 'error',
      eqeqeq: 'error',
      // `const { left, ...rest }` is how a key is left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: typescript.parser } },
    rules: {
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      // The server's Content-Security-Policy and the rule that text is never markup.
      'vue/no-v-html': 'error',
      'vue/no-static-inline-styles': 'error',
      // TypeScript says which props may be absent; Vue's own default for them is undefined.
      'vue/require-default-prop': 'off',
      // The type checker knows every name in scope, the browser's too.
      'no-undef': 'off',
    },
  },
  { files: ['**/*.js'], extends: [typescript.configs.disableTypeChecked] },
  {
    // Served as it is, to the browser.
    files: ['**/public/*.js'],
    languageOptions: { globals: { document: 'writable', localStorage: 'readonly', matchMedia: 'readonly' } },
  },
  prettier,
)
