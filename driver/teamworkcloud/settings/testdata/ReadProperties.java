import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Properties;
import java.util.TreeMap;

/** Answers each line, a file in hexadecimal, with what java.util.Properties reads from it, or with ! where it refuses. */
class ReadProperties {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        var out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line; (line = in.readLine()) != null;) {
            out.println(answer(HexFormat.of().parseHex(line)));
            out.flush();
        }
    }

    static String answer(byte[] file) throws Exception {
        var properties = new Properties();
        try {
            properties.load(new ByteArrayInputStream(file));
        } catch (IllegalArgumentException e) {
            return "!";
        }
        var sorted = new TreeMap<String, String>();
        properties.forEach((key, value) -> sorted.put(hex((String) key), hex((String) value)));
        var text = new StringBuilder();
        sorted.forEach((key, value) -> text.append(key).append('=').append(value).append(' '));
        return text.toString();
    }

    static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_16BE));
    }
}
