import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;

/**
 * A server of Derby that has what RDS for Db2 has and Derby hasn't: the database `rdsadmin`, whose procedures change
 * users, and in the database `app` a table of authorities with a procedure that grants and revokes them.
 *
 * `make` makes the databases; `serve PORT CONTROL` serves them, and answers questions of a test on the port CONTROL:
 * a line of words in hexadecimal digits, answered by `ok` or `no` and another word.
 */
public class Peer {
    static final String[][] RENAMED = {
        {"CREATE_EXTERNAL_ROUTINE", "EXTERNALROUTINE"}, {"IMPLICIT_SCHEMA", "IMPLSCHEMA"},
        {"CREATE_NOT_FENCED_ROUTINE", "NOFENCE"}, {"QUIESCE_CONNECT", "QUIESCECONNECT"},
        {"SECADM", "SECURITYADM"}, {"CREATE_SECURE_OBJECT", "CREATESECURE"},
    };
    static final String[] AUTHORITIES = {
        "ACCESSCTRL", "BINDADD", "CONNECT", "CREATESECURE", "CREATETAB", "DATAACCESS", "DBADM", "EXPLAIN",
        "EXTERNALROUTINE", "IMPLSCHEMA", "LOAD", "NOFENCE", "QUIESCECONNECT", "SECURITYADM", "SQLADM", "WLMADM",
    };

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("make")) {
            make();
        } else {
            serve(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
        }
    }

    static Connection admin(String database, String more) throws SQLException {
        Properties login = new Properties();
        login.put("user", "admin");
        login.put("password", System.getProperty("peer.password"));
        return DriverManager.getConnection("jdbc:derby:" + database + more, login);
    }

    static void make() throws SQLException {
        try (Connection it = admin("rdsadmin", ";create=true"); Statement say = it.createStatement()) {
            say.execute("CREATE SCHEMA rdsadmin");
            procedure(say, "rdsadmin.add_user(u VARCHAR(128), p VARCHAR(1000), g VARCHAR(128))", "addUser", 0);
            procedure(say, "rdsadmin.change_password(u VARCHAR(128), p VARCHAR(1000))", "changePassword", 0);
            procedure(say, "rdsadmin.list_users()", "listUsers", 1);
        }
        StringBuilder columns = new StringBuilder();
        for (String authority : AUTHORITIES) {
            columns.append(", ").append(authority).append("AUTH CHAR(1) NOT NULL DEFAULT 'N'");
        }
        try (Connection it = admin("app", ";create=true"); Statement say = it.createStatement()) {
            say.execute("CREATE SCHEMA shim");
            say.execute("CREATE TABLE shim.ledger (n INTEGER)");
            say.execute("CREATE TABLE shim.dbauth (grantor VARCHAR(128), grantee VARCHAR(128) NOT NULL PRIMARY KEY, "
                + "granteetype CHAR(1)" + columns + ")");
            procedure(say, "shim.authority(y CHAR(1), a VARCHAR(64), u VARCHAR(128))", "authority", 0);
        }
        try {
            DriverManager.getConnection("jdbc:derby:;shutdown=true;user=admin;password="
                + System.getProperty("peer.password"));
        } catch (SQLException ended) {
            // This is how Derby says so.
        }
    }

    static void procedure(Statement say, String what, String method, int results) throws SQLException {
        say.execute("CREATE PROCEDURE " + what + " LANGUAGE JAVA PARAMETER STYLE JAVA MODIFIES SQL DATA "
            + "DYNAMIC RESULT SETS " + results + " EXTERNAL NAME 'Peer." + method + "'");
    }

    // What RDS has.

    public static void addUser(String user, String password, String group) throws SQLException {
        try (Connection it = DriverManager.getConnection("jdbc:default:connection")) {
            if (exists(it, user)) {
                throw new SQLException("Username " + user + " already exists", "38553");
            }
            try {
                set(it, "SYSCS_CREATE_USER", user, password);
            } catch (SQLException error) {
                throw new SQLException("Username " + user + " already exists", "38553");
            }
        }
    }

    public static void changePassword(String user, String password) throws SQLException {
        try (Connection it = DriverManager.getConnection("jdbc:default:connection")) {
            if (!exists(it, user)) {
                throw new SQLException("Username " + user + " does not exist", "38553");
            }
            set(it, "SYSCS_RESET_PASSWORD", user, password);
        }
    }

    /** One text: three lines of a head, a line for each user, three lines of a foot. */
    public static void listUsers(ResultSet[] result) throws SQLException {
        Connection it = DriverManager.getConnection("jdbc:default:connection");
        StringBuilder text = new StringBuilder("\nUSERNAME\tGROUPS\n--------\t------\n");
        try (Statement say = it.createStatement();
             ResultSet users = say.executeQuery("SELECT username FROM sys.sysusers")) {
            while (users.next()) {
                text.append(users.getString(1)).append("\tgroup\n");
            }
        }
        PreparedStatement say = it.prepareStatement("VALUES CAST(? AS VARCHAR(32672))");
        say.setString(1, text + "\n\n\n");
        result[0] = say.executeQuery();
    }

    /** GRANT and REVOKE of an authority. One of them lets its holder read what there is to read. */
    public static void authority(String given, String name, String user) throws SQLException {
        String column = name;
        for (String[] renamed : RENAMED) {
            column = renamed[0].equals(name) ? renamed[1] : column;
        }
        if (!Arrays.asList(AUTHORITIES).contains(column)) {
            throw new SQLException("no authority " + name, "42601");
        }
        try (Connection it = DriverManager.getConnection("jdbc:default:connection");
             Statement say = it.createStatement()) {
            String set = "UPDATE shim.dbauth SET " + column + "AUTH = '" + given + "' WHERE grantee = '" + user + "'";
            if (say.executeUpdate(set) == 0) {
                say.executeUpdate("INSERT INTO shim.dbauth (grantor, grantee, granteetype) "
                    + "VALUES ('ADMIN', '" + user + "', 'U')");
                say.executeUpdate(set);
            }
            if (column.equals("DATAACCESS")) {
                boolean yes = given.equals("Y");
                say.execute((yes ? "GRANT" : "REVOKE") + " SELECT ON shim.ledger "
                    + (yes ? "TO \"" : "FROM \"") + user + "\"");
            }
        }
    }

    static boolean exists(Connection it, String user) throws SQLException {
        try (PreparedStatement ask = it.prepareStatement("SELECT 1 FROM sys.sysusers WHERE username = ?")) {
            ask.setString(1, user.toUpperCase(Locale.ROOT));
            return ask.executeQuery().next();
        }
    }

    static void set(Connection it, String procedure, String user, String password) throws SQLException {
        try (PreparedStatement say = it.prepareStatement("CALL SYSCS_UTIL." + procedure + "(?, ?)")) {
            say.setString(1, user);
            say.setString(2, password);
            say.execute();
        }
    }

    // What a test asks.

    static void serve(int port, int control) throws Exception {
        InetAddress here = InetAddress.getLoopbackAddress();
        org.apache.derby.drda.NetworkServerControl server =
            new org.apache.derby.drda.NetworkServerControl(here, port);
        server.start(new PrintWriter(System.out, true));
        for (boolean up = false; !up; ) {
            try {
                server.ping();
                up = true;
            } catch (Exception notYet) {
                Thread.sleep(20);
            }
        }
        ServerSocket door = new ServerSocket(control, 50, here);
        System.out.println("answers");
        while (true) {
            Socket socket = door.accept();
            new Thread(() -> attend(socket, port)).start();
        }
    }

    static void attend(Socket socket, int port) {
        try (Socket it = socket; PrintWriter out = new PrintWriter(it.getOutputStream(), true)) {
            BufferedReader in = new BufferedReader(new InputStreamReader(it.getInputStream()));
            try {
                out.println("ok " + hex(answer(in.readLine().split(" "), port)));
            } catch (SQLException error) {
                out.println("no " + hex(String.valueOf(error.getMessage())));
            }
        } catch (IOException gone) {
            // Nobody waits for it.
        }
    }

    static String answer(String[] words, int port) throws SQLException {
        String first = text(words[1]), second = words.length > 2 ? text(words[2]) : "";
        switch (words[0]) {
            case "create":
                try (Connection it = admin("rdsadmin", "")) {
                    set(it, "SYSCS_CREATE_USER", first, second);
                }
                return "";
            case "exists":
                try (Connection it = admin("rdsadmin", "")) {
                    return exists(it, first) ? "yes" : "no";
                }
            case "sql":
                try (Connection it = admin("app", "")) {
                    return run(it, first);
                }
            case "login":
                // Derby's own client, over the network.
                Properties login = new Properties();
                login.put("user", first);
                login.put("password", second);
                try (Connection it = DriverManager.getConnection("jdbc:derby://localhost:" + port + "/app", login)) {
                    return run(it, text(words[3]));
                }
            default:
                throw new SQLException(words[0] + "?");
        }
    }

    static String run(Connection it, String statement) throws SQLException {
        try (Statement say = it.createStatement()) {
            if (!say.execute(statement)) {
                return "";
            }
            StringBuilder out = new StringBuilder();
            ResultSet rows = say.getResultSet();
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                for (int i = 1; i <= columns; i++) {
                    out.append(i > 1 ? "\t" : "").append(rows.getString(i));
                }
                out.append("\n");
            }
            return out.toString();
        }
    }

    static String text(String digits) {
        byte[] bytes = new byte[digits.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(digits.substring(2 * i, 2 * i + 2), 16);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static String hex(String text) {
        StringBuilder out = new StringBuilder("-");
        for (byte it : text.getBytes(StandardCharsets.UTF_8)) {
            out.append(String.format("%02x", it));
        }
        return out.toString();
    }
}
