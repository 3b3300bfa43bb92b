/* Runs in the head, before anything is painted: the chosen appearance. Without a choice the system's own holds. */
(() => {
  "use strict";
  let choice = null;
  try {
    choice = window.localStorage.getItem("mx-theme");
  } catch {
    choice = null; // storage is forbidden: the system's appearance
  }
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  document.documentElement.classList.add("mx-js");
})();
