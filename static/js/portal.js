/* What makes the portal quicker. Every page works without this file. */
(() => {
  "use strict";
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  /* Menus close at Escape and at a click elsewhere. */
  function closeMenus(except) {
    for (const menu of all("details.mx-menu[open]")) if (!except || !menu.contains(except)) menu.open = false;
  }
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details.mx-menu[open]");
    closeMenus();
    menu?.querySelector("summary").focus();
  });

  /* A form is sent once: the second click finds the button busy. New windows and GET forms stay free. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    const target = button?.getAttribute("formtarget") || form.target;
    const method = button?.getAttribute("formmethod") || form.method;
    if (event.defaultPrevented || target === "_blank" || method !== "post") return;
    if (form.dataset.busy) return event.preventDefault();
    form.dataset.busy = "true";
    button?.setAttribute("aria-busy", "true");
  });
  function release() {
    for (const form of all("form[data-busy]")) delete form.dataset.busy;
    for (const button of all("[aria-busy=true]")) button.removeAttribute("aria-busy");
  }
  window.addEventListener("pageshow", release);
  document.addEventListener("htmx:afterRequest", release);

  /* Copy an Activation ID. */
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const said = button.querySelector("[data-copied]");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return; // not allowed: the text still stands beside the button to be selected
    }
    if (!said) return;
    const before = said.textContent;
    said.textContent = said.dataset.copied;
    window.setTimeout(() => { said.textContent = before; }, 2000);
  });

  /* Tick boxes: how many are ticked, and all at once. */
  function countTicks(form) {
    const ticked = all("tbody .mx-tick input:checked", form).length;
    const note = form.querySelector("[data-selected]");
    if (!note) return;
    note.hidden = ticked === 0;
    note.querySelector("[data-count]").textContent = String(ticked);
  }
  /* What opens a window needs one tick; without it the list says so, in its own window. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[formtarget][form]");
    if (!button) return;
    const ticked = all("tbody .mx-tick input:checked", button.form).length;
    button.formTarget = ticked === 1 ? "_blank" : "_self";
    button.name = ticked === 1 ? "" : "here";
    button.value = ticked === 1 ? "" : "1";
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form, .mx-list");
    if (!form) return;
    if (event.target.matches("[data-tick-all]")) {
      for (const box of all("tbody .mx-tick input", form)) box.checked = event.target.checked;
    }
    if (event.target.closest(".mx-tick")) countTicks(form);
    const auto = event.target.closest("form[data-auto]");
    if (auto && !window.htmx) auto.requestSubmit();
  });

  /* Light, dark or the system's. */
  const themes = () => all("[data-theme-choice]");
  function showTheme() {
    const now = document.documentElement.dataset.theme || "system";
    for (const button of themes()) button.setAttribute("aria-pressed", String(button.dataset.themeChoice === now));
  }
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
    if (!choice) return;
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    try {
      window.localStorage.setItem("mx-theme", choice);
    } catch {
      /* not kept: holds for this page only */
    }
    showTheme();
  });

  /* The dialog: filled by htmx, opened here. A page that has no dialog part replaces the page behind it. */
  const dialog = () => document.getElementById("dialog");
  function leaveDialog(detail) {
    detail.target = document.getElementById("main");
    detail.selectOverride = "#main";
    detail.swapOverride = "outerHTML";
    dialog().close();
    window.history.pushState(null, "", detail.xhr.responseURL);
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail;
    if (detail.target.id !== "dialog-body" || !detail.shouldSwap) return;
    if (detail.serverResponse.includes('id="dialog-content"')) return;
    if (detail.serverResponse.includes('id="main"')) leaveDialog(detail);
    else window.location.assign(detail.xhr.responseURL);
  });
  document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    // What happens in the dialog is no page of its own, whatever hx-boost thinks: the address stays.
    const { target, elt, history } = event.detail;
    if (target.id !== "dialog-body" && !dialog()?.contains(elt)) return;
    history.type = "replace";
    history.path = window.location.href;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    show(document);
    if (event.detail.target.id !== "dialog-body") return;
    if (!dialog().open) dialog().showModal();
    dialog().scrollTop = 0;
    const heading = dialog().querySelector("h1, h2");
    if (heading) heading.tabIndex = -1;
    (dialog().querySelector("[autofocus], .is-invalid") || heading)?.focus();
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.target?.id === "dialog-body") window.location.assign(event.detail.xhr.responseURL);
  });
  document.addEventListener("click", (event) => {
    if (event.target === dialog() || event.target.closest("[data-close]")) dialog()?.close();
  });

  /* What is of use only with JavaScript shows itself. */
  function show(root) {
    for (const element of all("[data-js]", root)) element.hidden = false;
    for (const form of all("form[id], .mx-list", root)) countTicks(form);
  }
  document.addEventListener("DOMContentLoaded", () => {
    show(document);
    showTheme();
    // A form that came back: where to go on is the first field that is wrong.
    document.querySelector("main .is-invalid")?.focus();
  });
})();
