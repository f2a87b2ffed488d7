/* Explorers (aelib.viz.Explorer): the reader moves a point and sliders, and sees at once what the model makes of them.

A page holds a picture and, beside it, all that is needed to compute: controls, the ONNX model, its first pictures. This script
puts controls and canvases in the picture's place. onnxruntime-web comes only when the explorer is nearly in view, or when it is
touched. It is loaded by script elements alone, so a page that was opened as a file works too. If it cannot be loaded, the
picture comes back. Nothing here moves by itself. */
"use strict";

(() => {
  const RUNTIME = new URL("onnxruntime/", document.currentScript.src).href;
  const HINT = "Drag the point, or use the arrow keys (Shift: larger steps; Home: back to the start).";
  let runtime = null; // a promise, the same for all explorers of a page
  let count = 0;

  const make = (tag, parent, properties = {}, attributes = {}) => {
    const element = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent.append(element);
    return element;
  };
  const written = (value) => value.toFixed(2).replace("-", "\u2212");
  const within = (value, [low, high]) => Math.min(Math.max(value, low), high);
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  const loadScript = (name) => new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`the file onnxruntime/${name} could not be loaded`));
    make("script", document.head, { src: RUNTIME + name, onload: resolve, onerror: failed });
  });

  async function loadRuntime() {
    if (!("DecompressionStream" in window)) throw new Error("this browser is too old to unpack the model's runtime");
    await Promise.all([loadScript("ort.wasm.min.js"), loadScript("wasm.js")]);
    const { glue, wasmGz } = window.onnxruntimeFiles;
    delete window.onnxruntimeFiles;
    const packed = await fetch(`data:application/gzip;base64,${wasmGz}`);
    const settings = window.ort.env.wasm;
    settings.wasmBinary = await new Response(packed.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    settings.wasmPaths = { mjs: URL.createObjectURL(new Blob([glue], { type: "text/javascript" })) };
    settings.numThreads = 1;
    return window.ort;
  }

  class Explorer {
    constructor(root) {
      const { controls, captions, shape, range, start, model } = JSON.parse(root.dataset.explorer);
      Object.assign(this, { root, captions, shape, range, model, values: [], session: null, loading: null, drawing: false });
      const parts = make("div", root, { className: "explorer-parts" }, {
        role: "group", "aria-label": root.querySelector("img").alt,
      });
      const plane = controls.find((control) => control.names);
      parts.classList.toggle("no-plane", !plane);
      const planePart = plane && make("div", parts, { className: "explorer-plane" });
      this.addCanvases(make("div", parts, { className: "explorer-pictures" }));
      const sliders = make("div", parts, { className: "explorer-sliders" });
      for (const control of controls) {
        if (control === plane) this.addPlane(planePart, control);
        else this.addSlider(sliders, control);
      }
      this.status = make("p", parts, { className: "explorer-status", textContent: plane ? HINT : "" }, { role: "status" });
      const levels = bytes(start);
      this.paint((at) => levels[at]);
      root.classList.add("explorer-live");

      const load = () => this.load();
      for (const event of ["pointerdown", "focusin"]) parts.addEventListener(event, load, { once: true });
      const watcher = new IntersectionObserver((seen) => {
        if (!seen.some((entry) => entry.isIntersecting)) return;
        watcher.disconnect();
        load();
      }, { rootMargin: "200px" });
      watcher.observe(parts);
    }

    addCanvases(parent) {
      const [, , height, width] = this.shape;
      this.canvases = this.captions.map((caption) => {
        const box = make("div", parent, { className: "explorer-picture" });
        const canvas = make("canvas", box, { width, height }, { role: "img", "aria-label": caption });
        make("span", box, { textContent: caption }, { "aria-hidden": "true" });
        return canvas;
      });
    }

    addPlane(parent, { names, x, y, start, picture }) {
      const at = this.values.push(...start) - 2;
      const { source, width, height, axes } = picture;
      make("img", parent, { src: source, width, height, alt: "" });
      const pad = make("div", parent, { className: "explorer-pad", tabIndex: 0 }, {
        role: "slider", "aria-label": names.join(", "), "aria-roledescription": "point in a plane",
        "aria-valuemin": x[0], "aria-valuemax": x[1],
      });
      ["left", "top", "width", "height"].forEach((side, number) => { pad.style[side] = `${100 * axes[number]}%`; });
      const point = make("div", pad, { className: "explorer-point" });
      const move = (across, up) => {
        this.values[at] = within(across, x);
        this.values[at + 1] = within(up, y);
        point.style.left = `${(100 * (this.values[at] - x[0])) / (x[1] - x[0])}%`;
        point.style.top = `${(100 * (y[1] - this.values[at + 1])) / (y[1] - y[0])}%`;
        pad.setAttribute("aria-valuenow", this.values[at]);
        pad.setAttribute("aria-valuetext", names.map((name, number) => `${name} = ${written(this.values[at + number])}`).join(", "));
        this.draw();
      };
      const follow = (event) => {
        const box = pad.getBoundingClientRect();
        move(
          x[0] + ((event.clientX - box.left) / box.width) * (x[1] - x[0]),
          y[1] - ((event.clientY - box.top) / box.height) * (y[1] - y[0]),
        );
      };
      pad.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        pad.setPointerCapture(event.pointerId);
        follow(event);
      });
      pad.addEventListener("pointermove", (event) => { if (pad.hasPointerCapture(event.pointerId)) follow(event); });
      pad.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1], Home: [0, 0] }[event.key];
        if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        const share = event.shiftKey ? 0.1 : 0.02;
        if (event.key === "Home") move(...start);
        else move(this.values[at] + share * way[0] * (x[1] - x[0]), this.values[at + 1] + share * way[1] * (y[1] - y[0]));
      });
      move(...start);
    }

    addSlider(parent, { name, low, high, start, labels }) {
      const at = this.values.push(start) - 1;
      const id = `explorer-slider-${++count}`;
      const row = make("div", parent, { className: "explorer-slider" });
      make("label", row, { htmlFor: id, textContent: name });
      const step = labels.length ? 1 : (high - low) / 100;
      const slider = make("input", row, { type: "range", id, min: low, max: high, step, value: start });
      const value = make("span", row, { className: "explorer-value" }, { "aria-hidden": "true" });
      const follow = () => {
        this.values[at] = slider.valueAsNumber;
        value.textContent = labels.length ? labels[this.values[at]] : written(this.values[at]);
        slider.setAttribute("aria-valuetext", value.textContent);
        this.draw();
      };
      slider.addEventListener("input", follow);
      follow();
    }

    load() {
      this.loading ??= (async () => {
        const hint = this.status.textContent;
        this.status.textContent = "Loading the model \u2026";
        try {
          const ort = await (runtime ??= loadRuntime());
          this.session = await ort.InferenceSession.create(bytes(this.model));
          this.status.textContent = hint;
          await this.draw();
          this.root.classList.add("explorer-ready");
        } catch (error) {
          this.root.classList.remove("explorer-live");
          this.root.querySelector(".explorer-parts").replaceWith(this.status);
          this.status.textContent = `The model cannot run here (${error.message}), so this is a picture.`;
        }
      })();
      return this.loading;
    }

    /* One run at a time, and after it one more with the newest values. */
    async draw() {
      this.stale = true;
      if (this.drawing || !this.session) return;
      this.drawing = true;
      while (this.stale) {
        this.stale = false;
        const values = new window.ort.Tensor("float32", Float32Array.from(this.values), [1, this.values.length]);
        const { result } = await this.session.run({ values });
        const [low, high] = this.range;
        this.paint((at) => (255 * (result.data[at] - low)) / (high - low));
      }
      this.drawing = false;
    }

    /* Canvases round and clip what they are given. */
    paint(level) {
      const [, channels, height, width] = this.shape;
      const size = height * width;
      this.canvases.forEach((canvas, number) => {
        const context = canvas.getContext("2d");
        const image = context.createImageData(width, height);
        for (let pixel = 0; pixel < size; pixel++) {
          for (let color = 0; color < 3; color++) {
            image.data[4 * pixel + color] = level((number * channels + (color % channels)) * size + pixel);
          }
          image.data[4 * pixel + 3] = 255;
        }
        context.putImageData(image, 0, 0);
      });
    }
  }

  for (const root of document.querySelectorAll(".explorer[data-explorer]")) new Explorer(root);
})();
