-- E11 on PostgreSQL. A statement that writes movements makes the balances follow, all its rows at once; nothing else can
-- write them: a balance that changes outside of a trigger is refused. Every refusal is an integrity error (23514).
-- Where the application has a role of its own (grants.py), that role may not write balances at all: the function that
-- does runs with its owner's rights. Functions name their schema, so that no table of a session stands in for one of ours.
CREATE OR REPLACE VIEW ledger_effect AS
  SELECT 'issue' AS kind, 1 AS quantity, 1 AS available, 0 AS activated, 0 AS parent_split
  UNION ALL SELECT 'adjust', 1, 1, 0, 0
  UNION ALL SELECT 'revoke', -1, -1, 0, 0
  UNION ALL SELECT 'split', 1, 1, 0, 1
  UNION ALL SELECT 'undo', -1, -1, 0, -1
  UNION ALL SELECT 'activate', 0, -1, 1, 0
  UNION ALL SELECT 'return', 0, 1, -1, 0
-- ;;
CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'ledger: %', TG_ARGV[0] USING ERRCODE = '23514';
END $$
-- ;;
CREATE OR REPLACE FUNCTION ledger_movement_fits() RETURNS trigger
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM written JOIN entitlements_lineitem item ON item.id = written.item_id
      WHERE written.kind NOT IN ('activate', 'return') AND item.parent_id IS DISTINCT FROM written.parent_id) THEN
    RAISE EXCEPTION 'ledger: a movement names the item and, where copies come from it or go to it, the parent'
      USING ERRCODE = '23514';
  END IF;
  IF EXISTS (SELECT 1 FROM written JOIN entitlements_activation activation ON activation.id = written.activation_id
      WHERE activation.item_id <> written.item_id) THEN
    RAISE EXCEPTION 'ledger: copies are activated on a device, and return from it, by the activation of their own item'
      USING ERRCODE = '23514';
  END IF;
  RETURN NULL;
END $$
-- ;;
CREATE TRIGGER ledger_movement_fits AFTER INSERT ON entitlements_movement
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION ledger_movement_fits()
-- ;;
CREATE OR REPLACE FUNCTION ledger_movement_applies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  UPDATE entitlements_lineitem item SET
    quantity = item.quantity + change.quantity,
    available = item.available + change.available,
    split = item.split + change.split,
    activated = item.activated + change.activated,
    ledger_position = greatest(item.ledger_position, change.position)
  FROM (
    SELECT id, sum(quantity) AS quantity, sum(available) AS available, sum(split) AS split, sum(activated) AS activated,
      max(position) AS position
    FROM (
      SELECT item_id AS id, written.id AS position, copies * effect.quantity AS quantity,
        copies * effect.available AS available, 0 AS split, copies * effect.activated AS activated
      FROM written JOIN ledger_effect effect USING (kind)
      UNION ALL
      SELECT parent_id, written.id, 0, -copies * effect.parent_split, copies * effect.parent_split, 0
      FROM written JOIN ledger_effect effect USING (kind) WHERE parent_id IS NOT NULL
    ) AS effects
    GROUP BY id
  ) AS change
  WHERE item.id = change.id;
  UPDATE entitlements_activation activation SET
    copies = activation.copies + change.copies,
    ledger_position = greatest(activation.ledger_position, change.position)
  FROM (
    SELECT activation_id AS id, sum(copies * effect.activated) AS copies, max(written.id) AS position
    FROM written JOIN ledger_effect effect USING (kind) WHERE activation_id IS NOT NULL GROUP BY activation_id
  ) AS change
  WHERE activation.id = change.id;
  RETURN NULL;
END $$
-- ;;
CREATE TRIGGER ledger_movement_applies AFTER INSERT ON entitlements_movement
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION ledger_movement_applies()
-- ;;
CREATE TRIGGER ledger_movement_no_change BEFORE UPDATE OR DELETE ON entitlements_movement
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('movements are append-only')
-- ;;
CREATE TRIGGER ledger_movement_no_truncate BEFORE TRUNCATE ON entitlements_movement
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('movements are append-only')
-- ;;
CREATE TRIGGER ledger_item_starts_at_zero BEFORE INSERT ON entitlements_lineitem FOR EACH ROW
WHEN (NEW.quantity <> 0 OR NEW.available <> 0 OR NEW.split <> 0 OR NEW.activated <> 0 OR NEW.ledger_position <> 0)
EXECUTE FUNCTION ledger_refuse('a new line item starts at 0')
-- ;;
CREATE TRIGGER ledger_item_balances BEFORE UPDATE ON entitlements_lineitem FOR EACH ROW
WHEN (pg_trigger_depth() = 0 AND (
  NEW.quantity <> OLD.quantity OR NEW.available <> OLD.available OR NEW.split <> OLD.split
  OR NEW.activated <> OLD.activated OR NEW.ledger_position <> OLD.ledger_position))
EXECUTE FUNCTION ledger_refuse('balances follow from movements')
-- ;;
CREATE TRIGGER ledger_item_fixed BEFORE UPDATE ON entitlements_lineitem FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.product_id <> OLD.product_id OR NEW.owner_id <> OLD.owner_id OR NEW.seller_id <> OLD.seller_id
  OR NEW.entitlement_id <> OLD.entitlement_id OR NEW.parent_id IS DISTINCT FROM OLD.parent_id
  OR NEW.distributor_id IS DISTINCT FROM OLD.distributor_id OR NEW.installer_id IS DISTINCT FROM OLD.installer_id
  OR NEW.end_customer_id IS DISTINCT FROM OLD.end_customer_id)
EXECUTE FUNCTION ledger_refuse('product, owner, parent and chain of a line item never change')
-- ;;
CREATE TRIGGER ledger_item_no_delete BEFORE DELETE ON entitlements_lineitem
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('line items are never deleted')
-- ;;
CREATE TRIGGER ledger_item_no_truncate BEFORE TRUNCATE ON entitlements_lineitem
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('line items are never deleted')
-- ;;
CREATE OR REPLACE FUNCTION ledger_item_fits() RETURNS trigger
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM made LEFT JOIN entitlements_entitlement e ON e.id = made.entitlement_id
      WHERE e.owner_id IS DISTINCT FROM made.owner_id OR e.seller_id IS DISTINCT FROM made.seller_id) THEN
    RAISE EXCEPTION 'ledger: owner and seller of a line item are those of its entitlement' USING ERRCODE = '23514';
  END IF;
  IF EXISTS (SELECT 1 FROM made LEFT JOIN entitlements_lineitem p ON p.id = made.parent_id
      WHERE made.parent_id IS NOT NULL
      AND (p.product_id IS DISTINCT FROM made.product_id OR p.owner_id IS DISTINCT FROM made.seller_id)) THEN
    RAISE EXCEPTION 'ledger: a split keeps the product, and its seller is the owner of its source' USING ERRCODE = '23514';
  END IF;
  RETURN NULL;
END $$
-- ;;
CREATE TRIGGER ledger_item_fits AFTER INSERT ON entitlements_lineitem
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ledger_item_fits()
-- ;;
CREATE TRIGGER ledger_entitlement_fixed BEFORE UPDATE ON entitlements_entitlement FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.owner_id <> OLD.owner_id OR NEW.seller_id <> OLD.seller_id)
EXECUTE FUNCTION ledger_refuse('owner and seller of an entitlement never change')
-- ;;
CREATE TRIGGER ledger_entitlement_no_delete BEFORE DELETE ON entitlements_entitlement
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('entitlements are never deleted')
-- ;;
CREATE TRIGGER ledger_activation_starts_at_zero BEFORE INSERT ON entitlements_activation FOR EACH ROW
WHEN (NEW.copies <> 0 OR NEW.ledger_position <> 0)
EXECUTE FUNCTION ledger_refuse('a new activation starts at 0')
-- ;;
CREATE TRIGGER ledger_activation_balances BEFORE UPDATE ON entitlements_activation FOR EACH ROW
WHEN (pg_trigger_depth() = 0 AND (NEW.copies <> OLD.copies OR NEW.ledger_position <> OLD.ledger_position))
EXECUTE FUNCTION ledger_refuse('balances follow from movements')
-- ;;
CREATE TRIGGER ledger_activation_fixed BEFORE UPDATE ON entitlements_activation FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.item_id <> OLD.item_id OR NEW.device_id <> OLD.device_id)
EXECUTE FUNCTION ledger_refuse('item and device of an activation never change')
-- ;;
CREATE TRIGGER ledger_activation_no_delete BEFORE DELETE ON entitlements_activation
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('activations are never deleted')
-- ;;
CREATE TRIGGER ledger_activation_no_truncate BEFORE TRUNCATE ON entitlements_activation
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('activations are never deleted')
-- ;;
-- Sealing. Who writes a movement cannot keep it out of the queue; leaves, nodes and heads are only ever added.
CREATE OR REPLACE FUNCTION ledger_movement_waits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  INSERT INTO entitlements_unsealedmovement (movement_id) SELECT id FROM written;
  RETURN NULL;
END $$
-- ;;
CREATE TRIGGER ledger_movement_waits AFTER INSERT ON entitlements_movement
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION ledger_movement_waits()
-- ;;
CREATE TRIGGER ledger_item_code_fixed BEFORE UPDATE ON entitlements_lineitem FOR EACH ROW
WHEN (NEW.verification_code <> OLD.verification_code)
EXECUTE FUNCTION ledger_refuse('the verification code of a line item never changes')
-- ;;
CREATE TRIGGER ledger_leaf_no_change BEFORE UPDATE OR DELETE ON entitlements_ledgerleaf
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('leaves are append-only')
-- ;;
CREATE TRIGGER ledger_leaf_no_truncate BEFORE TRUNCATE ON entitlements_ledgerleaf
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('leaves are append-only')
-- ;;
CREATE TRIGGER ledger_node_no_change BEFORE UPDATE OR DELETE ON entitlements_ledgernode
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('nodes are append-only')
-- ;;
CREATE TRIGGER ledger_node_no_truncate BEFORE TRUNCATE ON entitlements_ledgernode
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('nodes are append-only')
-- ;;
CREATE TRIGGER ledger_head_no_change BEFORE UPDATE OR DELETE ON entitlements_ledgerhead
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('heads are append-only')
-- ;;
CREATE TRIGGER ledger_head_no_truncate BEFORE TRUNCATE ON entitlements_ledgerhead
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('heads are append-only')
-- ;;
CREATE TRIGGER ledger_key_fixed BEFORE UPDATE ON entitlements_signingkey FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.key_id <> OLD.key_id OR NEW.public_key <> OLD.public_key OR OLD.compromised_at IS NOT NULL
  OR (OLD.retired_at IS NOT NULL AND (NEW.retired_at IS DISTINCT FROM OLD.retired_at OR NEW.created_at <> OLD.created_at OR NEW.compromised_at IS NULL)))
EXECUTE FUNCTION ledger_refuse('a public key never changes, and a retired key is marked as compromised at most')
-- ;;
CREATE TRIGGER ledger_key_no_delete BEFORE DELETE ON entitlements_signingkey
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('public keys stay')
-- ;;
CREATE TRIGGER ledger_key_no_truncate BEFORE TRUNCATE ON entitlements_signingkey
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('public keys stay')
-- ;;
-- Records. The rows that are sealed besides movements are queued where they are made, and stay as they were made.
CREATE OR REPLACE FUNCTION ledger_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  INSERT INTO entitlements_unsealedrecord (kind, subject) SELECT TG_ARGV[0], id FROM made;
  RETURN NULL;
END $$
-- ;;
CREATE OR REPLACE FUNCTION ledger_record_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  INSERT INTO entitlements_unsealedrecord (kind, subject)
  SELECT 'license-end', made.id FROM made JOIN before ON before.id = made.id
  WHERE before.ended_at IS NULL AND made.ended_at IS NOT NULL;
  RETURN NULL;
END $$
-- ;;
CREATE TRIGGER ledger_item_recorded AFTER INSERT ON entitlements_lineitem
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ledger_record('item')
-- ;;
CREATE TRIGGER ledger_license_recorded AFTER INSERT ON entitlements_license
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ledger_record('license')
-- ;;
CREATE TRIGGER ledger_license_end_recorded AFTER UPDATE ON entitlements_license
REFERENCING OLD TABLE AS before NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ledger_record_end()
-- ;;
CREATE TRIGGER ledger_audit_recorded AFTER INSERT ON accounts_auditentry
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ledger_record('audit')
-- ;;
CREATE TRIGGER ledger_license_fixed BEFORE UPDATE ON entitlements_license FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.license_id <> OLD.license_id
  OR NEW.activation_id <> OLD.activation_id OR NEW.copies <> OLD.copies OR NEW.file <> OLD.file
  OR NEW.digest <> OLD.digest OR NEW.key_id <> OLD.key_id OR NEW.issued_at <> OLD.issued_at)
EXECUTE FUNCTION ledger_refuse('a license is given out once and ends once')
-- ;;
CREATE TRIGGER ledger_license_no_delete BEFORE DELETE ON entitlements_license
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('licenses are never deleted')
-- ;;
CREATE TRIGGER ledger_license_no_truncate BEFORE TRUNCATE ON entitlements_license
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('licenses are never deleted')
-- ;;
CREATE TRIGGER ledger_audit_no_change BEFORE UPDATE OR DELETE ON accounts_auditentry
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('the audit trail is append-only')
-- ;;
CREATE TRIGGER ledger_audit_no_truncate BEFORE TRUNCATE ON accounts_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('the audit trail is append-only')
-- ;;
CREATE TRIGGER ledger_records_no_change BEFORE UPDATE OR DELETE ON entitlements_sealedrecords
FOR EACH ROW EXECUTE FUNCTION ledger_refuse('sealed records are append-only')
-- ;;
CREATE TRIGGER ledger_records_no_truncate BEFORE TRUNCATE ON entitlements_sealedrecords
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('sealed records are append-only')
-- ;;
-- A head covers exactly the leaves that there are, is newer than those before, and names the key that signs now.
CREATE OR REPLACE FUNCTION ledger_head_follows() RETURNS trigger
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
  IF NEW.size <> (SELECT coalesce(max(number) + 1, 0) FROM entitlements_ledgerleaf)
    OR NEW.size <= (SELECT coalesce(max(size), 0) FROM entitlements_ledgerhead)
    OR NOT EXISTS (SELECT 1 FROM entitlements_signingkey WHERE id = NEW.key_id AND retired_at IS NULL) THEN
    RAISE EXCEPTION 'ledger: a head covers all leaves, and is signed by the key in use' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$
-- ;;
CREATE TRIGGER ledger_head_follows BEFORE INSERT ON entitlements_ledgerhead
FOR EACH ROW EXECUTE FUNCTION ledger_head_follows()
