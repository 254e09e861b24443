/** A chart as a PNG, with its title, as it is on the screen: theme, labels and all. */

const SCALE = 2
const MARGIN = 16
const TITLE_PX = 18

/** What a stylesheet says of SVG. Written onto the copy, which is drawn where no stylesheet reaches. */
const STYLES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linejoin',
  'stroke-linecap',
  'paint-order',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'dominant-baseline',
] as const

/** `chart` holds one drawing, an SVG or a canvas. Null where there is none. */
export async function pictureOf(chart: HTMLElement, title: string): Promise<Blob | null> {
  const drawing = chart.querySelector<SVGSVGElement | HTMLCanvasElement>('svg[data-chart], canvas')
  if (!drawing) return null
  const box = drawing.getBoundingClientRect()
  const canvas = document.createElement('canvas')
  canvas.width = (box.width + 2 * MARGIN) * SCALE
  canvas.height = (box.height + 3 * MARGIN + TITLE_PX) * SCALE
  const context = canvas.getContext('2d')
  if (!context) return null
  const style = getComputedStyle(chart)
  context.scale(SCALE, SCALE)
  context.fillStyle = style.getPropertyValue('--rmos-surface')
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = style.getPropertyValue('--rmos-text')
  context.font = `600 ${TITLE_PX}px ${style.fontFamily}`
  context.fillText(title, MARGIN, MARGIN + TITLE_PX)
  const image = drawing instanceof SVGSVGElement ? await imageOf(drawing) : drawing
  context.drawImage(image, MARGIN, 2 * MARGIN + TITLE_PX, box.width, box.height)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
}

export function saveBlob(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Some browsers read the address only after the click was handled.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

async function imageOf(svg: SVGSVGElement): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const originals = [svg, ...svg.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  originals.forEach((original, index) => {
    const style = getComputedStyle(original)
    for (const name of STYLES) copies[index]?.setAttribute(name, style.getPropertyValue(name))
  })
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  const { width, height } = svg.getBoundingClientRect()
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`
  await image.decode()
  return image
}
