/* Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0. */
// Joins the map, the pictures and the plots at one moment. The page is complete without it.
'use strict';
(() => {
  const samples = JSON.parse(document.getElementById('samples').textContent);
  const plots = document.getElementById('plots');
  const map = document.getElementById('map');
  if (!plots) return;
  const cursor = document.getElementById('map-cursor');
  const pictures = [...document.querySelectorAll('.film a')];
  const places = [...document.querySelectorAll('.place')];
  const { end } = samples;
  let pinned = null;

  const written = (value, unit) => {
    if (value === null) return '–';
    const digits = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));
    return `${value.toFixed(digits)} ${unit}`.trim();
  };

  const nearest = (distance) => {
    let best = null, least = Infinity;
    samples.frame.forEach((_, i) => {
      const d = distance(i);
      if (d < least) [best, least] = [i, d];
    });
    return best;
  };

  const show = (i, place) => {
    for (const a of [...pictures, ...places]) {
      a.classList.toggle('selected', a.dataset.place === place);
    }
    const on = i !== null && samples.time[i] !== null;
    plots.classList.toggle('pointed', on);
    const placed = i !== null && samples.x[i] !== null && samples.y[i] !== null;
    cursor?.setAttribute('visibility', placed ? 'visible' : 'hidden');
    if (placed) {
      cursor?.setAttribute('transform',
        `translate(${samples.x[i]} ${samples.y[i]}) rotate(${samples.heading[i] ?? 0})`);
    }
    if (on) plots.style.setProperty('--at', samples.time[i] / end);
    for (const output of plots.querySelectorAll('output')) {
      const one = samples.series[output.dataset.series];
      output.textContent = !on ? '' : one ? written(one.values[i], one.unit)
        : `${samples.state[i]} · frame ${samples.frame[i]} · ${samples.time[i].toFixed(2)} s`;
    }
  };

  const showPlace = (place) => {
    const picture = pictures.find((a) => a.dataset.place === place);
    if (!picture) return show(null, null);
    return show(samples.frame.indexOf(Number(picture.dataset.frame)), place);
  };
  const rest = () => showPlace(pinned);

  const follow = (i) => {
    if (i === null) return rest();
    let place = null, least = Infinity;
    for (const a of pictures) {
      const gap = Math.abs(Number(a.dataset.frame) - samples.frame[i]);
      if (gap < least) [place, least] = [a.dataset.place, gap];
    }
    return show(i, place);
  };

  plots.addEventListener('pointermove', (event) => {
    const box = plots.querySelector('.area').getBoundingClientRect();
    const t = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * end;
    follow(nearest((i) => (samples.time[i] === null ? Infinity : Math.abs(samples.time[i] - t))));
  });
  map?.addEventListener('pointermove', (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      map.getScreenCTM().inverse());
    const distance = (i) => (samples.x[i] === null ? Infinity
      : Math.hypot(samples.x[i] - at.x, samples.y[i] - at.y));
    const i = nearest(distance);
    follow(i !== null && distance(i) < 30 ? i : null);
  });
  plots.addEventListener('pointerleave', rest);
  map?.addEventListener('pointerleave', rest);

  for (const a of [...pictures, ...places]) {
    const { place } = a.dataset;
    a.addEventListener('pointerenter', () => showPlace(place));
    a.addEventListener('focus', () => showPlace(place));
    a.addEventListener('pointerleave', rest);
    a.addEventListener('click', (event) => {
      event.preventDefault();
      pinned = pinned === place ? null : place;
      history.replaceState(null, '', pinned ? `#place-${pinned}` : location.pathname);
      rest();
    });
  }
  const fromAddress = () => {
    pinned = /^#place-(\d+)$/.exec(location.hash)?.[1] ?? null;
    rest();
  };
  window.addEventListener('hashchange', fromAddress);
  fromAddress();
})();
