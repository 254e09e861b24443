// Before the first paint, so that a dark workshop is not lit by a white page. Kept in step by stores/preferences.ts.
;(function () {
  var theme = null
  try {
    theme = localStorage.getItem('rmos.theme')
  } catch {
    // Storage is off.
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
  document.documentElement.dataset.theme = theme
})()
