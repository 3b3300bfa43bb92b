/* Reads the QR code of a request with the camera, where the browser can. Without it the text can be pasted or typed. */
(() => {
  "use strict";
  const PAUSE = 200; // milliseconds between two looks

  async function canScan() {
    if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
    return (await window.BarcodeDetector.getSupportedFormats()).includes("qr_code");
  }

  function scanner(box) {
    const part = (name) => box.querySelector(`[data-scan-${name}]`);
    const video = box.querySelector("video");
    const field = box.closest("form").elements.text;
    let stream = null;

    function say(text) {
      part("status").textContent = text;
    }
    function show(on) {
      part("view").hidden = !on;
      part("start").hidden = on;
    }
    function stop() {
      for (const track of stream?.getTracks() ?? []) track.stop();
      stream = video.srcObject = null;
      show(false);
    }
    async function look(detector) {
      while (stream) {
        const [found] = await detector.detect(video).catch(() => []); // no picture yet
        if (stream && found) return found.rawValue;
        await new Promise((resume) => setTimeout(resume, PAUSE));
      }
      return null;
    }
    async function start() {
      say("");
      show(true);
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
        video.srcObject = stream;
        await video.play();
      } catch {
        stop();
        say(box.dataset.scanDenied);
        part("start").focus();
        return;
      }
      part("stop").focus();
      const text = await look(new window.BarcodeDetector({ formats: ["qr_code"] }));
      if (text === null) return;
      stop();
      say(box.dataset.scanFound);
      field.value = text;
      field.form.requestSubmit(field.form.querySelector("[data-scan-send]"));
    }

    part("start").addEventListener("click", start);
    part("stop").addEventListener("click", () => {
      stop();
      part("start").focus();
    });
    window.addEventListener("pagehide", stop);
    box.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", async () => {
    const box = document.querySelector("[data-scan]");
    if (box && (await canScan())) scanner(box);
  });
})();
